/** The script of the report: filtering. The report is complete without it. */
export const script = `
'use strict'
const box = document.querySelector('#filter')
const buttons = [...document.querySelectorAll('[data-verdict]')]
const scenarios = [...document.querySelectorAll('.scenario')]
const themes = [...document.querySelectorAll('.theme')]
const none = document.querySelector('.none')
document.querySelector('.filter').hidden = false
let verdict = ''
const show = () => {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean)
  for (const it of scenarios) {
    const text = it.dataset.text
    it.hidden = !(verdict === '' || it.classList.contains(verdict)) || !words.every((word) => text.includes(word))
  }
  for (const it of themes) {
    it.hidden = [...it.children].every((child) => child.hidden)
    it.previousElementSibling.hidden = it.hidden
  }
  none.hidden = scenarios.some((it) => !it.hidden)
}
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (target === null) return
  for (let it = target; it !== null; it = it.parentElement) {
    if (it.tagName === 'DETAILS') it.open = true
    if (it.hidden) { box.value = ''; verdict = ''; press(); show() }
  }
  target.scrollIntoView()
}
const press = () => {
  for (const it of buttons) it.setAttribute('aria-pressed', String(it.dataset.verdict === verdict))
}
box.addEventListener('input', show)
for (const it of buttons) {
  it.addEventListener('click', () => {
    verdict = it.dataset.verdict
    press()
    show()
  })
}
for (const it of document.querySelectorAll('.cells a')) {
  it.title = it.getAttribute('aria-label') + ': ' + document.getElementById(it.hash.slice(1)).querySelector('.says').textContent
}
addEventListener('hashchange', open)
if (location.hash !== '') open()
`
