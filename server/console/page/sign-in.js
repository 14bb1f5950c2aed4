import { h, setText } from './dom.js'

/** The door: the control token, or a link made with it. */
export const signIn = (server, open, problem = '') => {
  const token = h('input', {
    id: 'control-token',
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'sign-in-problem',
  })
  const said = h('p', { class: 'problem', id: 'sign-in-problem', role: 'alert' }, problem)
  const submit = async (event) => {
    event.preventDefault()
    setText(said, '')
    try {
      open(await server.post('/session', { control_token: token.value }))
    } catch (refused) {
      setText(said, refused.message)
      token.select()
    }
  }
  return h(
    'div',
    { class: 'door' },
    h(
      'form',
      { class: 'card', onsubmit: submit },
      h('h1', {}, 'Sign in'),
      h(
        'p',
        {},
        'Enter the control token, which the harness printed when it started. It lets you act as any approver, move the clock and switch misbehaviours.',
      ),
      h(
        'p',
        { class: 'muted' },
        'The link printed beside it signs in one browser, once, as one approver and without the Harness view. A new link: ',
        h('code', {}, 'POST /_harness/tenants/TENANT/console-link'),
        '.',
      ),
      h('label', { for: 'control-token' }, 'Control token'),
      token,
      said,
      h('button', { class: 'main' }, 'Sign in'),
    ),
  )
}
