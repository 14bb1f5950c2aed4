/** Texts that are not saved, in this tab; they survive a reload of the page. */
const name = (id) => `lumoauth-draft ${id}`

/** The draft of a scenario: its text, and the version of the file that it began with. */
export const draftOf = (id) => JSON.parse(sessionStorage.getItem(name(id)) ?? 'null')

export const keepDraft = (id, draft) => sessionStorage.setItem(name(id), JSON.stringify(draft))

export const dropDraft = (id) => sessionStorage.removeItem(name(id))

export const hasDrafts = () =>
  Object.keys(sessionStorage).some((it) => it.startsWith('lumoauth-draft '))
