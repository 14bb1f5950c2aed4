import { describe, expect, it } from 'vitest'
import { exactly, Markup, markup } from '../../../server/wire/markup.ts'

describe('markup', () => {
  it('escapes every value', () => {
    const value = `"><script>alert('1') & 2</script>`

    expect(markup`<p title="${value}">${1}</p>`.text).toBe(
      '<p title="&#34;&#62;&#60;script&#62;alert(&#39;1&#39;) &#38; 2&#60;/script&#62;">1</p>',
    )
  })

  it('accepts markup, lists of it, and nothing for undefined and false', () => {
    const items = ['a', 'b'].map((it) => markup`<li>${it}</li>`)

    expect(markup`<ul>${items}${undefined}${false}${new Markup('<hr>')}</ul>`.text).toBe(
      '<ul><li>a</li><li>b</li><hr></ul>',
    )
  })

  it.each([
    ['an override of the direction', 'a\u202eb', 'a⟨U+202E⟩b'],
    ['a zero-width space', 'a\u200bb', 'a⟨U+200B⟩b'],
    ['a soft hyphen', 'a\u00adb', 'a⟨U+00AD⟩b'],
    ['a joiner of graphemes', 'a\u034fb', 'a⟨U+034F⟩b'],
    ['a Hangul filler', 'a\u3164b', 'a⟨U+3164⟩b'],
    ['a blank of Braille', 'a\u2800b', 'a⟨U+2800⟩b'],
    ['a tag', 'a\u{e0041}b', 'a⟨U+E0041⟩b'],
    ['a control character', 'a\u0007b', 'a⟨U+0007⟩b'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
  ])('spells out %s', (_, text, expected) => {
    expect(markup`${text}`.text).toBe(expected)
  })

  it.each([
    ['tabs and line breaks', 'a\tb\r\nc'],
    ['the variation selector of an emoji', 'a ❤\ufe0f b'],
  ])('keeps %s', (_, text) => {
    expect(markup`${text}`.text).toBe(text)
  })

  it('keeps an exact value, and escapes it', () => {
    expect(markup`<input value="${exactly('a\u200b"b')}">`.text).toBe(
      '<input value="a\u200b&#34;b">',
    )
  })
})
