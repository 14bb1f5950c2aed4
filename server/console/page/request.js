import { foreign, h, setAttribute, setText } from './dom.js'
import {
  button,
  exactDetail,
  inShort,
  json,
  markLongValues,
  moment,
  person,
  riskBadge,
  showStatus,
  statusBadge,
} from './parts.js'
import { duration } from './time.js'

/**
 * One request in full: the exact detail, separate from the agent's texts and the policy's explanation, and
 * the decision form. Built once per request and then updated in place.
 *
 * Head, detail and buttons have limited heights and stay in view; the parts between them scroll. So no text
 * of an agent can move the detail or the buttons out of the window.
 */
export const createRequestPane = (page, { decided, next }) => {
  const element = h('article', { class: 'request', tabindex: -1 })
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
    const asks = h('span', {}, ' asks to ')
    const onward = button('Next request', () => next(), { 'aria-keyshortcuts': 'n' })
    const revoke = button('Revoke permission', () => form.send('revoke'), { class: 'deny' })
    const form = decisionForm(request)
    parts?.stop()
    const exact = exactCard(request)
    parts = {
      status,
      left,
      bar,
      approvals,
      verdict,
      asks,
      form,
      onward,
      revoke,
      exact,
      stop: exact.stop,
    }
    element.replaceChildren(
      h(
        'header',
        { class: 'request-head' },
        h(
          'div',
          { class: 'badges' },
          h('a', { class: 'back', href: '#/inbox' }, '← All requests'),
          riskBadge(request.risk),
          status,
          h('div', { class: 'time' }, left, h('span', { class: 'track' }, bar)),
        ),
        h('h2', {}, foreign(agent.name), asks, inShort(detail)),
        h(
          'p',
          { class: 'who' },
          user ? ['On behalf of ', person(user)] : 'On its own behalf',
          ', requested at ',
          moment(request.requested_at),
          ' in the task ',
          h('a', { href: `#/tasks/${encodeURIComponent(task.id)}` }, foreign(task.name ?? task.id)),
        ),
      ),
      exact.element,
      h(
        'div',
        { class: 'rest' },
        h(
          'section',
          { class: 'says', 'aria-labelledby': 'says' },
          h('h3', { id: 'says' }, 'Justification'),
          request.justification
            ? h(
                'blockquote',
                { tabindex: 0, 'aria-label': 'What the agent wrote' },
                foreign(request.justification, { lines: true }),
              )
            : h('p', { class: 'muted' }, 'The agent gave none.'),
          h('p', { class: 'caveat' }, 'Written by the agent, not verified.'),
        ),
        approvals,
        form.element,
        h(
          'section',
          { class: 'policy', 'aria-labelledby': 'policy' },
          h('h3', { id: 'policy' }, 'Policy'),
          h('p', { class: 'rule' }, foreign(explanation.rule)),
          explanation.reason ? h('p', {}, foreign(explanation.reason)) : null,
          inputs(explanation.inputs),
          explanation.would_pass
            ? h(
                'p',
                { class: 'would-pass' },
                'The policy approves without a person: ',
                inShort(explanation.would_pass),
              )
            : null,
        ),
      ),
      h(
        'footer',
        { class: 'decision-bar' },
        form.hindrance,
        form.problem,
        form.buttons,
        verdict,
        h('div', { class: 'buttons' }, onward, revoke),
      ),
    )
    exact.watch()
  }

  /** The detail in a box that scrolls, and a line that shows when a part is hidden. */
  const exactCard = (request) => {
    const { detail } = request
    const choice = actionChoice(request)
    const box = h(
      'div',
      {
        class: 'exact-box',
        tabindex: 0,
        role: 'group',
        'aria-label': 'Every member of the detail',
      },
      h('details', {}, h('summary', {}, 'As JSON'), json(detail, 'The detail as JSON')),
    )
    const more = button(
      'There is more below ↓',
      () => box.scrollBy({ top: box.clientHeight * 0.8 }),
      { class: 'more-below', tabindex: -1 },
    )
    const list = exactDetail(detail, choice ? { actions: choice.element } : {})
    box.prepend(list)
    const show = () => {
      markLongValues(list)
      more.hidden = box.scrollHeight - box.clientHeight < 2
      more.classList.toggle('end', box.scrollHeight - box.scrollTop - box.clientHeight < 8)
    }
    box.addEventListener('scroll', show)
    const watching = new ResizeObserver(show)
    return {
      element: h(
        'section',
        { class: 'exactly', 'aria-labelledby': 'exactly' },
        h('h3', { id: 'exactly' }, 'Requested permission'),
        box,
        more,
      ),
      watch: () => {
        watching.observe(box)
        watching.observe(list)
        show()
      },
      stop: () => watching.disconnect(),
      actions: () => choice?.chosen(),
      close: () => choice?.close(),
    }
  }

  /** One checkbox per action, if there are several: an approval may be narrower than the request. */
  const actionChoice = ({ detail: { actions = [] }, narrowed_to: narrowedTo, status }) => {
    if (status !== 'pending' || actions.length < 2) return undefined
    const boxes = actions.map((action) =>
      h('input', {
        type: 'checkbox',
        checked: narrowedTo?.includes(action) ?? true,
        disabled: narrowedTo?.includes(action) === false,
      }),
    )
    return {
      element: h(
        'ul',
        { class: 'chips choice', 'aria-label': 'Actions to permit' },
        actions.map((action, at) =>
          h('li', {}, h('label', {}, boxes[at], h('code', {}, foreign(action)))),
        ),
      ),
      /** Undefined when every action is permitted. */
      chosen: () =>
        boxes.every(({ checked }) => checked)
          ? undefined
          : actions.filter((_, at) => boxes[at].checked),
      close: () => {
        for (const box of boxes) box.disabled = true
      },
    }
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
        page.lost(refused)
        if (refused.code === 'already_decided') {
          page.announce(`Too late. ${shown.decided ? spoken(shown) : refused.message}`)
          parts.verdict.focus()
        } else if (refused.code !== 'csrf') {
          setText(problem, refused.message)
        }
      } finally {
        element.removeAttribute('aria-busy')
      }
    }
    const text = (name) => (reason.value.trim() === '' ? {} : { [name]: reason.value.trim() })
    const approve = h(
      'button',
      { class: 'approve', form: 'decision', 'aria-keyshortcuts': 'a' },
      'Approve',
    )
    const deny = button('Deny', () => send('deny', text('agent_message')), {
      class: 'deny',
      'aria-keyshortcuts': 'd',
    })
    const form = h(
      'form',
      {
        class: 'decide',
        id: 'decision',
        'aria-label': 'Decision',
        onsubmit: (event) => {
          event.preventDefault()
          const actions = parts.exact.actions()
          if (actions?.length === 0) {
            setText(problem, 'Tick at least one action, or deny the request.')
            return
          }
          send('approve', {
            ttl: ttl.valueAsNumber,
            ...(actions ? { actions } : {}),
            ...text('agent_message'),
          })
        },
      },
      h(
        'div',
        { class: 'field' },
        h('label', { for: 'reason' }, 'Reason (visible to the agent)'),
        reason,
      ),
      h(
        'div',
        { class: 'field' },
        h('label', { for: 'ttl' }, 'Token lifetime (seconds)'),
        h('div', { class: 'with-hint' }, ttl, hint),
      ),
    )
    const buttons = h('div', { class: 'buttons' }, approve, deny)
    for (const field of [reason, ttl]) {
      field.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') (approve.disabled ? element : approve).focus()
      })
    }
    return { element: form, send, buttons, approve, deny, reason, hindrance, problem }
  }

  const update = (request) => {
    const { status, left, approvals, verdict, asks, form, onward, revoke } = parts
    const pending = request.status === 'pending'
    setText(asks, pending ? ' asks to ' : ' asked to ')
    showStatus(status, request.status)
    left.parentElement.hidden = !pending
    showApprovals(approvals, request)
    form.element.hidden = !pending
    form.buttons.hidden = !pending
    onward.hidden = pending
    revoke.hidden = request.status !== 'approved' && request.status !== 'exchanged'
    setAttribute(revoke, 'disabled', page.locked !== undefined)
    if (!pending) parts.exact.close()
    // A person who has approved may still deny while another approval is missing.
    const hasEndorsed = request.approvals.some(({ id }) => id === page.session.user?.id)
    const why = hasEndorsed
      ? 'You have approved. Another person has to approve, too.'
      : (request.hindrance ?? '')
    setText(form.hindrance, pending ? (page.locked ?? why) : '')
    const isHindered = page.locked !== undefined || request.hindrance !== null
    setAttribute(form.approve, 'disabled', isHindered)
    setAttribute(form.deny, 'disabled', page.locked !== undefined || (isHindered && !hasEndorsed))
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
          : '. Each has to come from another person.',
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
        parts?.stop()
        shown = undefined
        return
      }
      if (request.id !== shown?.id) build(request)
      setAttribute(element, 'data-id', request.id)
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
        status === 'revoked' ? 'The task has ended' : 'Expired before a decision',
      ),
    ]
  }
  const { as, by, at, ttl, text, detail } = decided
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
    detail?.actions
      ? h('p', {}, 'Permitted actions: ', h('b', {}, foreign(detail.actions.join(', '))))
      : null,
    text === undefined ? null : h('p', {}, foreign(text, { lines: true })),
    status === 'exchanged' ? h('p', { class: 'muted' }, 'The agent has its token.') : null,
    status === 'revoked'
      ? h('p', { class: 'muted' }, 'The permission has ended, and its token is revoked.')
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
