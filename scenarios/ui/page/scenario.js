import { coalesced, h, setAttribute, setText } from '../../../server/console/page/dom.js'
import { draftOf, dropDraft, hasDrafts, keepDraft } from './drafts.js'
import { createEditor } from './editor.js'
import { createTour } from './tour.js'
import { fetchView } from './view.js'

const verdicts = { passed: '✓ passed', failed: '✗ failed', skipped: '– skipped' }

/** One scenario: its text, its buttons, and what happened when it ran. */
export const createScenario = (shared) => {
  const { server, items, state, run, announce, stop, watch } = shared
  let id
  let step
  let part = 0
  /** The file as it was read last. */
  let base
  /** The text of the file, where it has changed while this tab had changes of its own. */
  let conflict
  /** A text that was put aside. */
  let aside

  const path = () => `/scenarios/${id}`
  const isDirty = () => base !== undefined && editor.value !== base.text
  const item = () => items.get(id)

  const editor = createEditor({
    check: async (text) => (await server.post(`${path()}/check`, { text })).problems,
    complete: (text, caret) => server.post(`${path()}/complete`, { text, caret }),
    onInput: (text) => {
      if (text === base.text) dropDraft(id)
      else keepDraft(id, { text, version: base.version })
      updateButtons()
    },
    onRun: () => runThis(),
    onSave: () => save(),
  })

  const title = h('h1', {})
  const verdict = h('span', { class: 'verdict' })
  const file = h('span', { class: 'file mono' })
  const said = h('p', { class: 'said' })
  const runButton = h('button', { type: 'button', class: 'main', onclick: () => runThis() }, 'Run')
  const stopButton = h(
    'button',
    { type: 'button', class: 'stop', onclick: stop, hidden: true },
    'Stop',
  )
  const saveButton = h('button', { type: 'button', onclick: () => save() }, 'Save')
  const revertButton = h('button', { type: 'button', onclick: () => putAside(base.text) }, 'Revert')
  const restoreButton = h('button', { type: 'button', onclick: () => restore() }, 'Restore my text')
  const watchButton = h(
    'button',
    { type: 'button', onclick: () => watch([id], !item().watched) },
    'Watch',
  )
  const parts = h('div', { class: 'parts', role: 'group', 'aria-label': 'Prefix' })
  const clash = h('div', { class: 'clash', role: 'alert' })
  const tour = createTour(items)

  const picture = h('div', { class: 'picture scroll' })
  const failures = h('div', { class: 'failures' })
  const steps = h('div', { class: 'steps' })
  const panels = h('div', { class: 'panels' })
  const walk = h(
    'div',
    { class: 'walk' },
    h('h2', {}, 'Step through'),
    h('button', { type: 'button', onclick: () => go(-1) }, '‹ Previous'),
    h('button', { type: 'button', onclick: () => go(1) }, 'Next ›'),
  )
  const empty = h('p', { class: 'none' }, 'Run it: the requests appear here while it runs.')
  const outcome = h('section', { class: 'outcome', 'aria-label': 'What happened' })
  const element = h(
    'div',
    { class: 'one-inside' },
    h(
      'header',
      { class: 'one-head' },
      h('a', { class: 'back', href: '#/' }, '‹ All scenarios'),
      h('div', { class: 'title-row' }, title, verdict),
      file,
      h(
        'div',
        { class: 'buttons', role: 'toolbar', 'aria-label': 'Scenario' },
        runButton,
        stopButton,
        saveButton,
        revertButton,
        restoreButton,
        watchButton,
        parts,
      ),
      said,
    ),
    tour.element,
    clash,
    h('div', { class: 'halves' }, editor.element, outcome),
  )
  element.hidden = true
  outcome.append(failures, picture, walk, steps, panels, empty)

  const runThis = async () => {
    if (runButton.disabled) return
    const refused = await run([id], isDirty() ? editor.value : undefined)
    if (refused?.body?.problems) editor.showProblems(refused.body.problems)
    step = undefined
    outcome.scrollTop = 0
    if (location.hash !== `#/s/${id}`) history.replaceState(null, '', `#/s/${id}`)
  }

  const save = async () => {
    if (!isDirty()) return
    const text = editor.value
    const own = id
    try {
      const { version } = await server.put(path(), { text, version: base.version })
      if (own !== id) return
      base = { ...base, text, version }
      dropDraft(id)
      clearConflict()
      announce('Saved.')
    } catch (refused) {
      if (refused.body?.error === 'edit_conflict') showConflict(refused.body)
      else announce(refused.message)
    }
    updateButtons()
  }

  /** Replaces the text of the editor, and keeps it to be restored. */
  const putAside = (text) => {
    aside = { id, text: editor.value }
    dropDraft(id)
    editor.set(text)
    updateButtons()
  }
  const restore = () => {
    const { text } = aside
    aside = undefined
    keepDraft(id, { text, version: base.version })
    editor.set(text)
    updateButtons()
  }

  const showConflict = ({ text, version }) => {
    conflict = { text, version }
    const mine = editor.value
    clash.replaceChildren(
      h(
        'div',
        { class: 'clash-inside' },
        h(
          'p',
          {},
          h('b', {}, 'The file has changed on disk'),
          ' since you opened it. Neither text is lost.',
        ),
        h(
          'div',
          { class: 'buttons' },
          h(
            'button',
            {
              type: 'button',
              onclick: () => {
                base = { ...base, ...conflict }
                keepDraft(id, { text: editor.value, version: base.version })
                clearConflict()
                save()
              },
            },
            'Overwrite it with my text',
          ),
          h(
            'button',
            {
              type: 'button',
              onclick: () => {
                base = { ...base, ...conflict }
                clearConflict()
                putAside(base.text)
              },
            },
            'Take the file’s text',
          ),
        ),
        h(
          'details',
          { class: 'versions' },
          h('summary', {}, 'Compare'),
          h(
            'div',
            {},
            h('figure', {}, h('figcaption', {}, 'On disk'), h('pre', {}, text)),
            h('figure', {}, h('figcaption', {}, 'Mine'), h('pre', {}, mine)),
          ),
        ),
      ),
    )
  }
  const clearConflict = () => {
    conflict = undefined
    clash.replaceChildren()
  }

  /** Reads the file: quietly where nothing was changed here, else as a conflict. */
  const readFile = async () => {
    const own = id
    const read = await server.get(path()).catch((refused) => {
      announce(refused.message)
    })
    if (read === undefined || own !== id || read.version === base?.version) return
    if (base !== undefined && isDirty()) return showConflict(read)
    base = read
    editor.set(read.text)
    tour.show(id, read.tour)
    updateButtons()
  }

  const open = async (wanted) => {
    id = wanted
    base = undefined
    editor.lock()
    part = 0
    clearConflict()
    element.hidden = false
    draw(undefined)
    changedTexts()
    const read = await server.get(path()).catch((refused) => {
      announce(refused.message)
    })
    if (read === undefined || id !== wanted) return
    const draft = draftOf(id)
    base = draft && draft.version !== read.version ? { ...read, version: draft.version } : read
    editor.set(draft?.text ?? read.text)
    if (draft && draft.version !== read.version && draft.text !== read.text) showConflict(read)
    tour.show(id, read.tour)
    if (read.tour !== null) editor.skipComment()
    updateButtons()
    refresh()
  }

  /** Asks for the picture, the steps and their panels anew. */
  const refresh = coalesced(async () => {
    const own = id
    const { verdict: has, state: doing, failure } = item() ?? {}
    if (!has && doing !== 'running') return draw(undefined)
    const drawn = await fetchView(own, part)
    if (own === id && drawn !== undefined) draw(drawn, doing === 'running', failure)
  })

  const draw = (drawn, isRunning = false, failure = undefined) => {
    empty.hidden = drawn !== undefined
    walk.hidden = drawn === undefined
    for (const [box, name] of [
      [picture, 'diagram'],
      [failures, 'failures'],
      [steps, 'steps'],
      [panels, 'panels'],
    ]) {
      box.replaceChildren(...(drawn?.[name] ? [drawn[name]] : []))
    }
    const all = numbers()
    shown = step && all.includes(step) ? step : isRunning ? all.at(-1) : (failure?.step ?? all[0])
    showStep(isRunning)
  }
  let shown

  const numbers = () => [...steps.querySelectorAll('[data-step]')].map((it) => it.dataset.step)

  /** Shows the panel of a step, and marks it in the picture, in the list and in the text. */
  const showStep = () => {
    let line
    for (const panel of panels.querySelectorAll('[data-step]')) {
      panel.hidden = panel.dataset.step !== shown
      if (!panel.hidden) line = Number(panel.dataset.line)
    }
    const href = `#/s/${id}/${shown}`
    for (const link of element.querySelectorAll('.diagram a, .steps a')) {
      const isNow = (link.getAttribute('href') ?? link.href?.baseVal) === href
      link.classList.toggle('now', isNow)
      if (isNow && link.dataset?.step) link.setAttribute('aria-current', 'step')
      else link.removeAttribute('aria-current')
    }
    const asked = [...panels.querySelectorAll('[data-step]:not([hidden]) .exchange')]
    for (const it of asked) it.open ||= asked.length < 3 || it.classList.contains('culprit')
    const { failure, state: doing } = item() ?? {}
    const isOther = isDirty() && !item()?.unsaved
    if (isOther) editor.markLines()
    else editor.markLines(line, doing === 'idle' ? failure?.line : undefined)
    const all = numbers()
    const [previous, next] = walk.querySelectorAll('button')
    previous.disabled = all.indexOf(shown) <= 0
    next.disabled = all.indexOf(shown) >= all.length - 1
  }
  const go = (by) => {
    const all = numbers()
    const wanted = all[all.indexOf(shown) + by]
    if (wanted !== undefined) location.replace(`#/s/${id}/${wanted}`)
  }
  steps.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    go(by)
    steps
      .querySelector(`[data-step="${numbers()[numbers().indexOf(shown) + by] ?? shown}"]`)
      ?.focus()
  })

  const changedTexts = () => {
    const it = item()
    if (it === undefined) return
    setText(title, it.title)
    setText(file, it.file)
    const isBusy = it.state !== 'idle'
    verdict.className = `verdict is-${isBusy ? it.state : (it.verdict ?? 'none')}`
    setText(verdict, isBusy ? `${it.state}…` : (verdicts[it.verdict] ?? 'not run'))
    setText(said, saidOf(it))
    said.className = `said${it.verdict === 'failed' && !isBusy ? ' bad' : ''}`
    parts.replaceChildren(
      ...(it.prefixes.length < 2 ? [] : it.prefixes).map((prefix, index) =>
        h(
          'button',
          {
            type: 'button',
            class: 'chip',
            'aria-pressed': String(index === part),
            onclick: () => {
              part = index
              changedTexts()
              refresh()
            },
          },
          prefix === 'org' ? '/orgs' : '/t',
        ),
      ),
    )
    setAttribute(watchButton, 'aria-pressed', String(it.watched))
    setText(watchButton, it.watched ? 'Watching' : 'Watch')
    updateButtons()
  }

  const updateButtons = () => {
    const it = item()
    if (it === undefined) return
    const isBusy = it.state !== 'idle'
    const dirty = isDirty()
    setText(runButton, dirty ? 'Run unsaved text' : 'Run')
    runButton.disabled = !state.live || base === undefined
    stopButton.hidden = !isBusy
    saveButton.disabled = !state.live || !dirty || base?.locked != null
    setAttribute(saveButton, 'title', base?.locked ?? 'Ctrl+S')
    revertButton.hidden = !dirty
    restoreButton.hidden = dirty || aside?.id !== id
    file.classList.toggle('dirty', dirty)
  }

  return {
    element,
    updateButtons,
    hasDrafts,
    get id() {
      return id
    },
    show: (wanted, wantedStep) => {
      step = wantedStep
      if (wanted === undefined) {
        id = undefined
        element.hidden = true
      } else if (wanted !== id) open(wanted)
      else if (step !== undefined && numbers().includes(step)) {
        shown = step
        showStep()
      }
    },
    /** A scenario has other members now. */
    changed: (changed) => {
      if (changed.id !== id) return
      const failing = changed.failure?.part
      if (changed.state === 'idle' && failing !== undefined && failing !== null) part = failing
      changedTexts()
      refresh()
      if (
        base !== undefined &&
        changed.version !== base.version &&
        changed.version !== conflict?.version
      ) {
        readFile()
      }
    },
    /** The connection may have been lost before the file was read. */
    reconnected: () => {
      if (id !== undefined && base === undefined) open(id)
    },
    progress: (running) => {
      if (running === id) refresh()
    },
    gone: (ids) => {
      if (!ids.includes(id)) return
      announce('The file does not exist any more; its text is still here.')
    },
  }
}

/** What to say of the last run in one line. */
const saidOf = ({ verdict, state, failure, reason, misbehaviours, unsaved, duration, broken }) => {
  if (state !== 'idle') return ''
  if (!verdict) return broken > 0 ? 'The file has mistakes, listed below its text.' : ''
  const how = [unsaved ? 'with unsaved text' : '', ...misbehaviours.map((it) => `with ${it} on`)]
    .filter(Boolean)
    .join(', ')
  const what =
    verdict === 'failed'
      ? `${misbehaviours.length > 0 ? 'Noticed at' : 'Failed at'} step ${failure.step}: ${failure.message}`
      : verdict === 'skipped'
        ? `Skipped: ${reason}`
        : misbehaviours.length > 0
          ? 'Passed: this scenario does not notice it'
          : `Passed in ${duration} ms`
  return `${what}${how === '' ? '' : ` (${how})`}`
}
