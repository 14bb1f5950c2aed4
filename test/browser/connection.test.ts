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

  it('locks the decision buttons under a banner while the server is away', async () => {
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

  it('notices a connection that is open at both ends and carries nothing', async () => {
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

  it('gets its news by asking where a proxy keeps the event stream back', async () => {
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

  it('holds one event stream for seven tabs, and each of them gets the news', async () => {
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
    await context.close()
  })

  it('locks a tab in which another person is signed in now, and offers to go on as them', async () => {
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
