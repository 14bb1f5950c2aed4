import { foreign, h, setAttribute, setText } from './dom.js'
import {
  button,
  exactDetail,
  inShort,
  json,
  moment,
  person,
  riskBadge,
  showStatus,
  statusBadge,
} from './parts.js'
import { duration } from './time.js'

/**
 * One request in full: the exact detail, apart from what the agent says and what the policy said,
 * and the form that decides it. Built once a request; what changes is changed in place.
 */
export const createRequestPane = (page, { decided }) => {
  const element = h('article', { class: 'request' })
  element.hidden = true
  let shown
  let parts

  const build = (request) => {
    const { detail, explanation, on_behalf_of: user, agent, task } = request
    const status = statusBadge(request.status)
    const left = h('span', { class: 'left', role: 'timer' })
    const bar = h('span', { class: 'bar' })
    const approvals = h('div', { class: 'approvals' })
    const verdict = h('div', { class: 'verdict', tabindex: -1 })
    const form = decisionForm(request)
    parts = { status, left, bar, approvals, verdict, form }
    element.replaceChildren(
      h('a', { class: 'back', href: '#/inbox' }, '← All requests'),
      h(
        'header',
        { class: 'request-head' },
        h('p', { class: 'badges' }, riskBadge(request.risk), status),
        h('h2', {}, foreign(agent.name), ' wants to ', inShort(detail)),
        h(
          'p',
          { class: 'who' },
          user ? ['On behalf of ', person(user)] : 'On its own behalf',
          ', in the task ',
          h('a', { href: `#/tasks/${encodeURIComponent(task.id)}` }, foreign(task.name ?? task.id)),
          ', since ',
          moment(request.requested_at),
        ),
        h('div', { class: 'time' }, h('span', { class: 'track' }, bar), left),
      ),
      h(
        'section',
        { class: 'card exactly', 'aria-labelledby': 'exactly' },
        h('h3', { id: 'exactly' }, 'Exactly this would be allowed'),
        exactDetail(detail),
        h('details', {}, h('summary', {}, 'As JSON'), json(detail, 'The detail as JSON')),
      ),
      h(
        'section',
        { class: 'card says', 'aria-labelledby': 'says' },
        h('h3', { id: 'says' }, 'What the agent says'),
        request.justification
          ? h(
              'blockquote',
              { tabindex: 0, 'aria-label': 'Justification' },
              foreign(request.justification, { lines: true }),
            )
          : h('p', { class: 'muted' }, 'It gave no justification.'),
        h('p', { class: 'caveat' }, 'Written by the agent, checked by nobody.'),
      ),
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'policy' },
        h('h3', { id: 'policy' }, 'What the policy said'),
        h('p', { class: 'rule' }, foreign(explanation.rule)),
        explanation.reason ? h('p', {}, foreign(explanation.reason)) : null,
        inputs(explanation.inputs),
        explanation.would_pass
          ? h('p', {}, 'Would pass without a person: ', inShort(explanation.would_pass))
          : null,
      ),
      approvals,
      verdict,
      form.element,
    )
  }

  const inputs = (facts) =>
    h(
      'dl',
      { class: 'facts' },
      Object.entries(facts).map(([name, value]) =>
        h('div', {}, h('dt', {}, foreign(name.replaceAll('_', ' '))), h('dd', {}, foreign(value))),
      ),
    )

  const decisionForm = (request) => {
    const reason = h('textarea', { id: 'reason', rows: 2, maxlength: 4096 })
    const ttl = h('input', {
      id: 'ttl',
      type: 'number',
      inputmode: 'numeric',
      min: 1,
      max: request.max_ttl,
      value: request.ttl,
      required: true,
      'aria-describedby': 'ttl-hint',
    })
    const hint = h('span', { id: 'ttl-hint', class: 'hint' })
    const showHint = () =>
      setText(hint, `${duration(ttl.valueAsNumber || 0)}, at most ${duration(request.max_ttl)}`)
    ttl.addEventListener('input', showHint)
    showHint()
    const hindrance = h('p', { class: 'hindrance', id: 'hindrance' })
    const problem = h('p', { class: 'problem', role: 'alert' })
    const send = async (path, body) => {
      setText(problem, '')
      element.setAttribute('aria-busy', 'true')
      try {
        const after = await page.server.post(
          `/requests/${encodeURIComponent(request.id)}/${path}`,
          body,
        )
        page.announce(spoken(after))
        await decided()
        if (!parts.verdict.hidden) parts.verdict.focus()
      } catch (refused) {
        await decided().catch(() => {})
        if (refused.code === 'already_decided') {
          page.announce(`Too late. ${shown.decided ? spoken(shown) : refused.message}`)
          parts.verdict.focus()
        } else {
          setText(problem, refused.message)
        }
      } finally {
        element.removeAttribute('aria-busy')
      }
    }
    const text = (name) => (reason.value.trim() === '' ? {} : { [name]: reason.value.trim() })
    const approve = h('button', { class: 'approve', 'aria-keyshortcuts': 'a' }, 'Approve')
    const deny = button('Deny', () => send('deny', text('agent_message')), {
      class: 'deny',
      'aria-keyshortcuts': 'd',
    })
    const form = h(
      'form',
      {
        class: 'decide',
        'aria-label': 'Decision',
        onsubmit: (event) => {
          event.preventDefault()
          send('approve', { ttl: ttl.valueAsNumber, ...text('agent_message') })
        },
      },
      h(
        'div',
        { class: 'field' },
        h('label', { for: 'reason' }, 'Reason, which the agent will read'),
        reason,
      ),
      h(
        'div',
        { class: 'field' },
        h('label', { for: 'ttl' }, 'Seconds the token lives'),
        h('div', { class: 'with-hint' }, ttl, hint),
      ),
      hindrance,
      problem,
      h('div', { class: 'buttons' }, approve, deny),
    )
    return { element: form, approve, deny, reason, hindrance, problem }
  }

  const update = (request) => {
    const { status, left, approvals, verdict, form } = parts
    const pending = request.status === 'pending'
    showStatus(status, request.status)
    left.parentElement.classList.toggle('over', !pending)
    showApprovals(approvals, request)
    form.element.hidden = !pending
    setText(form.hindrance, pending ? (request.hindrance ?? '') : '')
    for (const control of [form.approve, form.deny]) {
      setAttribute(control, 'disabled', request.hindrance !== null)
    }
    // Who has approved may still change their mind and deny while others are missing.
    const me = page.session.user?.id
    const endorsed = request.approvals.some(({ id }) => id === me)
    if (endorsed) {
      setAttribute(form.deny, 'disabled', null)
      setText(
        form.hindrance,
        pending ? 'You have approved. Somebody else has to approve, too.' : '',
      )
    }
    verdict.hidden = pending
    verdict.className = `verdict ${request.status}`
    const key = JSON.stringify([request.status, request.decided])
    if (verdict.dataset.key !== key) {
      verdict.dataset.key = key
      verdict.replaceChildren(...verdictOf(request))
    }
  }

  const showApprovals = (place, { approvals, approvals_required: required }) => {
    place.hidden = required < 2
    const key = approvals.map(({ id }) => id).join()
    if (place.dataset.key === key) return
    place.dataset.key = key
    place.replaceChildren(
      h(
        'p',
        {},
        h('strong', {}, `${approvals.length} of ${required}`),
        ' approvals',
        approvals.length > 0
          ? [': ', approvals.flatMap((it, at) => [at > 0 ? ', ' : '', foreign(it.name)])]
          : '. Distinct people have to approve.',
      ),
      h(
        'span',
        { class: 'seats', 'aria-hidden': 'true' },
        Array.from({ length: required }, (_, at) =>
          h('span', { class: at < approvals.length ? 'taken' : 'free' }),
        ),
      ),
    )
  }

  const focusIfShown = (control) => {
    if (control && !parts.form.element.hidden && !element.hidden) control.focus()
  }

  return {
    element,
    show: (request) => {
      element.hidden = request === undefined
      if (request === undefined) {
        shown = undefined
        return
      }
      if (request.id !== shown?.id) build(request)
      shown = request
      update(request)
    },
    tick: (now) => {
      if (shown === undefined || shown.status !== 'pending') return
      const seconds = Math.max(0, shown.expires_at - now)
      setText(parts.left, `${duration(seconds)} left to decide`)
      parts.left.classList.toggle('soon', seconds < 60)
      const share = seconds / Math.max(1, shown.expires_at - shown.requested_at)
      parts.bar.style.inlineSize = `${Math.min(100, share * 100).toFixed(1)}%`
    },
    focusApprove: () => focusIfShown(parts?.form.approve),
    focusDeny: () => focusIfShown(parts?.form.deny),
    focusReason: () => focusIfShown(parts?.form.reason),
  }
}

const verdictOf = ({ status, decided }) => {
  if (decided === null) {
    return [
      h(
        'p',
        { class: 'verdict-title' },
        status === 'revoked' ? 'Its task has ended' : 'Nobody decided in time',
      ),
    ]
  }
  const { as, by, at, ttl, text } = decided
  return [
    h(
      'p',
      { class: 'verdict-title' },
      `${as === 'approved' ? 'Approved' : 'Denied'} by `,
      foreign(by.name),
      ' at ',
      moment(at),
      ttl === undefined ? null : ` for ${duration(ttl)}`,
    ),
    text === undefined ? null : h('p', {}, foreign(text, { lines: true })),
    status === 'exchanged' ? h('p', { class: 'muted' }, 'The agent has fetched its token.') : null,
    status === 'revoked'
      ? h('p', { class: 'muted' }, 'Its task has ended; the token is dead.')
      : null,
  ].filter((it) => it !== null)
}

const spoken = ({ status, decided, approvals, approvals_required: required }) => {
  if (decided === null) {
    return status === 'pending'
      ? `You approved; ${approvals.length} of ${required} approvals are there.`
      : `The request is ${status}.`
  }
  return `${decided.as === 'approved' ? 'Approved' : 'Denied'} by ${decided.by.name}.`
}
