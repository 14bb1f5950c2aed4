// The search on the page of the API: shows the articles that contain every word.

const input = document.querySelector('#search')
const found = document.querySelector('#found')
const articles = [...document.querySelectorAll('main article')].map((element) => ({
  element,
  text: element.textContent.toLowerCase(),
}))
const sections = [...document.querySelectorAll('main section')].filter((it) =>
  it.querySelector('article'),
)

const search = () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  let count = 0
  for (const { element, text } of articles) {
    element.hidden = !words.every((word) => text.includes(word))
    if (!element.hidden) count += 1
  }
  for (const section of sections) section.hidden = !section.querySelector('article:not([hidden])')
  found.textContent = words.length === 0 ? '' : `${count} of ${articles.length}`
}

input.parentElement.hidden = false
input.addEventListener('input', search)
addEventListener('hashchange', () => {
  const target = document.getElementById(location.hash.slice(1))
  if (!target?.closest('[hidden]')) return
  input.value = ''
  search()
  target.scrollIntoView()
})
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target === input || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  input.focus()
})
