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
    ['a control character', 'a\u0007b', 'a⟨U+0007⟩b'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
  ])('spells out %s', (_, text, expected) => {
    expect(markup`${text}`.text).toBe(expected)
  })

  it('keeps tabs and line breaks', () => {
    expect(markup`${'a\tb\r\nc'}`.text).toBe('a\tb\r\nc')
  })

  it('keeps an exact value, and escapes it', () => {
    expect(markup`<input value="${exactly('a\u200b"b')}">`.text).toBe(
      '<input value="a\u200b&#34;b">',
    )
  })
})
