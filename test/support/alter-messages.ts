/**
 * Alters every message of the product as its modules load: `node --import alter-messages.ts …`. The
 * positions of the altered texts are appended to the file that ALTERED_TEXTS names. PLANTED
 * (`code=>other code`) changes code, and MESSAGE_PREFIX the prefix: with these a test plants a
 * comparison of texts and shows that it is noticed.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alterMessages, messageTexts } from './message-texts.ts'
import { root } from './running.ts'

const { ALTERED_TEXTS: log, PLANTED, MESSAGE_PREFIX = 'ALTERED ' } = process.env

registerHooks({
  load(url, context, nextLoad) {
    const file = url.startsWith('file:')
      ? relative(root, fileURLToPath(url.split('?')[0] ?? ''))
      : ''
    const [folder = ''] = file.split(sep)
    if (!['server', 'client', 'scenarios'].includes(folder) || !file.endsWith('.ts')) {
      return nextLoad(url, context)
    }
    const original = readFileSync(`${root}/${file}`, 'utf8')
    const [from = '', to = ''] = PLANTED?.split('=>') ?? []
    const source = from === '' ? original : original.replace(from, to)
    const texts = messageTexts(source)
    if (log !== undefined && texts.length > 0) {
      appendFileSync(log, texts.map(({ at }) => `${JSON.stringify(`${file}:${at}`)}\n`).join(''))
    }
    return {
      format: 'module-typescript',
      source: alterMessages(source, MESSAGE_PREFIX),
      shortCircuit: true,
    }
  },
})
