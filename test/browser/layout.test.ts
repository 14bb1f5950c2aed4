import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, alice, createWorld, launch, noBrowser } from './world.ts'

type Policy = NonNullable<NonNullable<Parameters<typeof createWorld>[0]>['policy']>

/** Sizes in CSS pixels; the last is a window of 1280 × 1024 at 400 % (WCAG 1.4.10). */
const windows = [
  ['a desktop', { width: 1280, height: 860 }],
  ['a tablet', { width: 768, height: 1024 }],
  ['a phone', { width: 360, height: 740 }],
  ['a low window', { width: 1280, height: 420 }],
  ['a zoom of 400 %', { width: 320, height: 256 }],
] as const

const wide = 'W'.repeat(256)
const bidi = '\u202e\u2067'.repeat(400)
const permission = { type: 'payment', actions: ['initiate'], identifier: 'inv_2211' }

/** What an agent may write to push the permission away; each member is within its limit. */
const hostile = [
  ['a task name without spaces', wide, permission, 'please'],
  ['a task name of line breaks', '\n'.repeat(256), permission, 'please\n'.repeat(500)],
  ['a justification that is as long as it may be', 'x', permission, 'W'.repeat(4096)],
  ['characters that turn the order round', bidi.slice(0, 256), permission, bidi],
  ['an identifier of 1024 characters', 'x', { ...permission, identifier: wide.repeat(4) }, 'x'],
  [
    '64 actions',
    'x',
    { ...permission, actions: Array.from({ length: 64 }, (_, at) => `${wide.slice(170)}${at}`) },
    'x',
  ],
  [
    'members before the ones that matter',
    'x',
    {
      ...Object.fromEntries(
        Array.from({ length: 40 }, (_, at) => [`a${at}${wide.slice(200)}`, 'line\n'.repeat(8)]),
      ),
      ...permission,
    },
    'x',
  ],
  ['a deep object', 'x', { nested: { list: Array(200).fill('x') }, ...permission }, 'x'],
] as const

describe.skipIf(noBrowser)('an agent that writes to hide what it asks for', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  it.each(windows)('hides neither the permission nor the buttons in %s', async (_, viewport) => {
    await using world = await createWorld({ policy: calm })
    const agent = await world.agent()
    const asked: string[] = []
    for (const [, name, detail, justification] of hostile) {
      const task = await agent.openTask({ name, on_behalf_of: alice.email })
      asked.push((await agent.ask(task, detail, { justification })).request_id)
    }
    const { page, context } = await world.enter(browser, ada, { context: { viewport } })
    const found: string[] = []

    for (const [at, requestId] of asked.entries()) {
      await openRequest(page, requestId)
      const faults = await page.evaluate<string[]>(hiddenParts(viewport.height < 500))
      found.push(...faults.map((it) => `${hostile[at]?.[0]}: ${it}`))
    }

    expect(asked).not.toContain(undefined)
    expect(found).toEqual([])
    await context.close()
  })

  it.each(windows)('can be denied with a reason in %s', async (_, viewport) => {
    await using world = await createWorld({ policy: calm })
    const agent = await world.agent()
    const [, name, detail, justification] = hostile[6]
    const task = await agent.openTask({ name })
    const { request_id: requestId } = await agent.ask(task, detail, { justification })
    const { page, context } = await world.enter(browser, ada, { context: { viewport } })
    await openRequest(page, requestId)

    await page.getByLabel(/^Reason/).fill('No')
    expect(await page.evaluate(isOnTop('#reason'))).toBe(true)
    await page.getByRole('button', { name: 'Deny' }).click()

    await page.locator('.verdict').getByText('Denied by Ada Approver').waitFor()
    expect(await page.evaluate(isOnTop('.verdict'))).toBe(true)
    expect(await agent.status(requestId)).toMatchObject({ agent_message: 'No' })
    await context.close()
  })

  it('says that a value goes on, and shows all of it', async () => {
    await using world = await createWorld({ policy: calm })
    const agent = await world.agent()
    const actions = ['read', 'x'.repeat(1000), 'delete']
    const task = await agent.openTask({})
    const { request_id: requestId } = await agent.ask(task, { ...permission, actions })
    const { page, context } = await world.enter(browser, ada)
    await openRequest(page, requestId)

    await page.getByRole('button', { name: 'Show all of actions' }).click()

    await page.locator('.exact li').getByText('delete').scrollIntoViewIfNeeded()
    expect(await page.evaluate(isOnTop('.exact li:last-child code'))).toBe(true)
    await context.close()
  })

  it.each([5, 250])('lists all of %i pending requests, the most urgent first', async (many) => {
    await using world = await createWorld({
      policy: {
        ...calm,
        rules: [
          {
            name: 'urgent',
            when: { identifier: 'urgent' },
            risk: 'high',
            decision: 'ask',
            timeout: 60,
          },
          { name: 'a person decides', risk: 'high', decision: 'ask' },
        ],
      },
    })
    const agent = await world.agent()
    const ids: string[] = []
    let task = ''
    for (let at = 1; at <= many; at += 1) {
      if (at % 90 === 1) task = await agent.openTask({ name: `Batch ${at}` })
      const identifier = at === many ? 'urgent' : `doc_${at}`
      ids.push((await agent.ask(task, { ...permission, identifier })).request_id)
    }
    const { page, context } = await world.enter(browser, ada)
    const rows = page.locator('.requests').first().locator('a.row')
    await page.getByRole('heading', { name: `Pending (${many})` }).waitFor()

    expect(await rows.count()).toBe(many)
    expect(await rows.first().innerText()).toContain('urgent')
    expect(await page.title()).toContain(`(${many})`)

    await page.locator(`[data-key="${ids[many - 2]}"] a`).click()
    await page
      .locator('.request h2')
      .getByText(`doc_${many - 1}`)
      .waitFor()
    expect(await page.evaluate<string[]>(hiddenParts(false))).toEqual([])

    await page.getByLabel('Search requests').fill('doc_2')
    const twos = ids
      .slice(1)
      .map((_, at) => `doc_${at + 1}`)
      .filter((it) => it.includes('doc_2'))
    await page.getByText(`The filter shows ${twos.length} of ${many} requests.`).waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await expect.poll(() => rows.count()).toBe(many)
    await context.close()
  })

  it('keeps the rows where they are while a pointer is over them', async () => {
    await using world = await createWorld({
      policy: {
        ...calm,
        rules: [
          {
            name: 'urgent',
            when: { identifier: 'urgent' },
            risk: 'high',
            decision: 'ask',
            timeout: 60,
          },
          { name: 'a person decides', risk: 'high', decision: 'ask' },
        ],
      },
    })
    const agent = await world.agent()
    const task = await agent.openTask({})
    await agent.ask(task, permission)
    const { page, context } = await world.enter(browser, ada)
    const rows = page.locator('.requests').first().locator('a.row')
    await rows.first().hover()

    await agent.ask(task, { ...permission, identifier: 'urgent' })
    await rows.nth(1).waitFor()
    const during = await rows.first().innerText()
    await page.mouse.move(900, 20)

    expect(during).toContain('inv_2211')
    await expect.poll(() => rows.first().innerText()).toContain('urgent')
    await context.close()
  })
})

const calm: Policy = {
  scoring: { suspend_from: 1_000_000 },
  rules: [{ name: 'a person decides', risk: 'high', decision: 'ask' }],
}

const openRequest = async (page: Page, requestId: string) => {
  await page.evaluate(`location.hash = '#/inbox/${requestId}'`)
  await page.locator(`.request[data-id="${requestId}"]`).waitFor()
}

/** Whether a click in the middle of an element's visible part would reach it; run in the page. */
const isOnTop = (selector: string) => `(() => {
  const element = document.querySelector(${JSON.stringify(selector)})
  const { left, top, right, bottom } = element.getBoundingClientRect()
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
  return hit !== null && (element === hit || element.contains(hit))
})()`

/** What of a request cannot be seen without scrolling: run in the page. */
const hiddenParts = (isLow: boolean) => `(() => {
  const faults = []
  const inWindow = (name, element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect()
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight || right - left < 20) {
      faults.push(name + ' at ' + [left, top, right, bottom].map(Math.round))
      return
    }
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
    if (!element.contains(hit)) faults.push(name + ' is covered by ' + (hit?.className ?? hit))
  }
  inWindow('Approve', document.querySelector('.approve'))
  inWindow('Deny', document.querySelector('.deny'))
  inWindow('the permission', document.querySelector('.exactly'))
  const box = document.querySelector('.exactly').getBoundingClientRect()
  const first = [...document.querySelectorAll('.exact dd')].slice(0, ${isLow ? 1 : 3})
  for (const [at, dd] of first.entries()) {
    const { top, left, right } = dd.firstElementChild.getBoundingClientRect()
    if (top + 14 > box.bottom || left < box.left || right > box.right) {
      faults.push('value ' + at + ' of the permission, at ' + Math.round(top) + ', is outside its box')
    }
  }
  const [root, main] = [document.documentElement, document.querySelector('main')]
  for (const it of [root, main]) {
    if (it.scrollWidth > it.clientWidth) faults.push(it.tagName + ' scrolls sideways')
  }
  if (root.scrollHeight > innerHeight) faults.push('the page scrolls')
  return faults
})()`
