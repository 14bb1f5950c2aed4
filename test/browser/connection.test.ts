import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lineTo } from './line.ts'
import { ada, createWorld, grace, launch, noBrowser } from './world.ts'

const personal = { type: 'user_data', actions: ['read'], identifier: 'doc_people' }

describe.skipIf(noBrowser)('the connection of the approvals page', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  it('locks the decision buttons under a banner while the server is unreachable', async () => {
    await using world = await createWorld()
    await using line = await lineTo(world.harness.issuer)
    const { page, context } = await world.enter(browser, ada, { origin: line.origin })
    const { requestId } = await askAndOpen(world, page)

    await line.cut()
    await page.getByRole('alert').getByText('Connection lost.').waitFor()
    const locked = [
      await page.getByRole('button', { name: 'Approve' }).isDisabled(),
      await page.getByRole('button', { name: 'Deny' }).isDisabled(),
    ]
    await page.getByRole('link', { name: 'Tasks' }).click()
    const isFalselyEmpty = await page.getByText('No tasks yet').isVisible()
    await page.getByRole('link', { name: /^Inbox/ }).click()
    await line.mend()
    await page.locator('.live:not(.lost)').waitFor()

    expect(locked).toEqual([true, true])
    expect(isFalselyEmpty).toBe(false)
    expect(await page.getByText('Connection lost.').count()).toBe(0)
    await rowOf(page, requestId).click()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.locator('.verdict').getByText('Approved by Ada Approver').waitFor()
    await context.close()
  })

  it('detects a half-open connection', async () => {
    await using world = await createWorld()
    await using line = await lineTo(world.harness.issuer)
    const { page, context } = await world.enter(browser, ada, { origin: line.origin })
    await askAndOpen(world, page)
    await page.clock.install()
    await page.reload()
    await page.locator('.live:not(.lost)[aria-label=Live]').waitFor()

    line.freeze()
    await expect
      .poll(
        async () => {
          await page.clock.runFor(1000)
          return page.locator('.banner').count()
        },
        { timeout: 10_000, interval: 20 },
      )
      .toBe(1)
    const isLocked = await page.getByRole('button', { name: 'Approve' }).isDisabled()
    line.thaw()
    await expect
      .poll(
        async () => {
          await page.clock.runFor(1000)
          return page.locator('.live:not(.lost)').count()
        },
        { timeout: 20_000, interval: 20 },
      )
      .toBe(1)

    expect(isLocked).toBe(true)
    await context.close()
  })

  it('polls when a proxy holds the event stream back', async () => {
    await using world = await createWorld()
    const { url } = await world.control('console-link', { user: ada.email })
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.clock.install()
    await page.route('**/events*', () => {})
    await page.goto(url)
    await page.getByRole('link', { name: /^Inbox/ }).waitFor()

    const becomesLive = async () => {
      await page.clock.runFor(1000)
      return page.locator('.live:not(.lost)[aria-label=Live]').count()
    }
    await expect.poll(becomesLive, { timeout: 10_000, interval: 20 }).toBe(1)
    const { requestId } = await ask(world)
    const comesIn = async () => {
      await page.clock.runFor(1000)
      return rowOf(page, requestId).count()
    }
    await expect.poll(comesIn, { timeout: 10_000, interval: 20 }).toBe(1)

    expect(await page.locator('.banner').count()).toBe(0)
    await context.close()
  })

  it('opens one event stream for seven tabs, and updates all of them', async () => {
    await using world = await createWorld()
    const { page, context } = await world.enter(browser, ada)
    const streams: string[] = []
    context.on('request', (request) => {
      if (request.url().includes('/events')) streams.push(request.url())
    })
    const tabs = [page]
    for (let at = 2; at <= 7; at += 1) {
      const tab = await context.newPage()
      await tab.goto(`${world.harness.issuer}/console/acme`)
      await tab.locator('.live:not(.lost)[aria-label=Live]').waitFor()
      tabs.push(tab)
    }

    const { requestId } = await ask(world)

    for (const tab of tabs) await rowOf(tab, requestId).waitFor()
    expect(streams).toEqual([])
    // Another tab takes over from the one that closes.
    await page.close()
    await expect.poll(() => streams.length).toBe(1)
    const { requestId: later } = await ask(world)
    for (const tab of tabs.slice(1)) await rowOf(tab, later).waitFor()
    await context.close()
  })

  it('takes over from a tab that its browser has frozen', async () => {
    await using world = await createWorld()
    const { page: leader, context } = await world.enter(browser, ada)
    const tab = await context.newPage()
    await tab.clock.install()
    await tab.goto(`${world.harness.issuer}/console/acme`)
    await tab.locator('.live:not(.lost)[aria-label=Live]').waitFor()
    const streams: string[] = []
    tab.on('request', (request) => {
      if (request.url().includes('/events')) streams.push(request.url())
    })

    await leader.evaluate('BroadcastChannel.prototype.postMessage = () => {}')

    const takesOver = async () => {
      await tab.clock.runFor(1000)
      return streams.length > 0
    }
    await expect.poll(takesOver, { timeout: 20_000, interval: 20 }).toBe(true)
    const { requestId } = await ask(world)
    await rowOf(tab, requestId).waitFor()
    await context.close()
  })

  it('asks for its news where the browser has no Web Locks', async () => {
    await using world = await createWorld()
    const { url } = await world.control('console-link', { user: ada.email })
    const context = await browser.newContext()
    const page = await context.newPage()
    const streams: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/events')) streams.push(request.url())
    })
    await page.addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })")
    await page.goto(url)
    await page.locator('.live:not(.lost)[aria-label=Live]').waitFor()

    const { requestId } = await ask(world)

    await rowOf(page, requestId).waitFor()
    expect(streams).toEqual([])
    await context.close()
  })

  it('leaves connections free for other pages when seven tenants are open', async () => {
    const names = ['acme', 'b', 'c', 'd', 'e', 'f', 'g']
    await using world = await createWorld()
    const { issuer, controlToken } = world.harness
    const headers = { authorization: `Bearer ${controlToken}`, 'content-type': 'application/json' }
    const context = await browser.newContext()
    const tabs: Page[] = []
    for (const tenant of names) {
      if (tenant !== 'acme') {
        const body = JSON.stringify({ tenant, users: [ada] })
        await fetch(`${issuer}/_harness/tenants`, { method: 'POST', headers, body })
      }
      const link = await fetch(`${issuer}/_harness/tenants/${tenant}/console-link`, {
        method: 'POST',
        headers,
        body: '{}',
      })
      const tab = await context.newPage()
      await tab.goto(((await link.json()) as { url: string }).url)
      await tab.locator('.live:not(.lost)[aria-label=Live]').waitFor()
      tabs.push(tab)
    }

    const docs = await context.newPage()
    const answer = await docs.goto(`${issuer}/docs`)

    expect(answer?.status()).toBe(200)
    expect(tabs).toHaveLength(7)

    await docs.keyboard.press('/')
    await docs.keyboard.type('caep_session_id complete')
    await docs
      .getByRole('status')
      .getByText(/^\d+ of \d+$/)
      .waitFor()
    expect(await docs.locator('article[id="jit.task.complete"]').isVisible()).toBe(false)
    expect(await docs.locator('#contract-tasks').isVisible()).toBe(false)
    await docs.getByRole('searchbox').fill('jit/task/{taskid}/complete')
    await docs.locator('article[id="jit.task.complete"]').waitFor()
    expect(await docs.locator('article[id="jit.pending"]').isVisible()).toBe(false)
    await docs.getByRole('link', { name: 'Contract: Completing a task' }).click()
    await docs.locator('#contract-completing-a-task').waitFor()
    await context.close()
  })

  it('locks a tab when another person has signed in, and offers to continue as that person', async () => {
    await using world = await createWorld()
    const { page, context } = await world.enter(browser, ada)
    const { agent, requestId } = await askAndOpen(world, page)
    const { url } = await world.control('console-link', { user: grace.email })
    const second = await context.newPage()
    await second.goto(url)
    await second.getByText('Grace Controller').first().waitFor()

    await page.getByText('In another tab, Grace Controller has signed in').waitFor()
    const isLocked = await page.getByRole('button', { name: 'Approve' }).isDisabled()
    await page.getByRole('button', { name: 'Continue as Grace Controller' }).click()
    await page.locator('.seat').getByText('Grace Controller').waitFor()
    await rowOf(page, requestId).click()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.locator('.verdict').getByText('Approved by Grace Controller').waitFor()

    expect(isLocked).toBe(true)
    expect(await agent.status(requestId)).toMatchObject({ status: 'approved' })
    await context.close()
  })
})

type World = Awaited<ReturnType<typeof createWorld>>

const ask = async (world: World) => {
  const agent = await world.agent()
  const task = await agent.openTask({})
  const { request_id: requestId } = (await agent.ask(task, personal)) as { request_id: string }
  return { agent, requestId }
}

const askAndOpen = async (world: World, page: Page) => {
  const asked = await ask(world)
  await rowOf(page, asked.requestId).click()
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  return asked
}

const rowOf = (page: Page, requestId: string) => page.locator(`[data-key="${requestId}"] a.row`)
