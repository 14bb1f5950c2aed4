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
        'Open the link that the harness printed when it started: it lets one browser in, once. ' +
          'Or show the control token, printed beside it.',
      ),
      h('label', { for: 'control-token' }, 'Control token'),
      token,
      said,
      h('button', { class: 'main' }, 'Sign in'),
    ),
  )
}
