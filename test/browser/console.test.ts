import axe, { type AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lineTo } from './line.ts'
import { ada, alice, createWorld, grace, launch, noBrowser } from './world.ts'

const personal = { type: 'user_data', actions: ['read'], identifier: 'doc_people' }
const people = [
  { id: 'doc_people', title: 'Salaries', classification: 'restricted', body: 'Ada earns most.' },
] as const

describe.skipIf(noBrowser)(
  `the approvals page${noBrowser ? ` (skipped: ${noBrowser})` : ''}`,
  () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launch()
    })
    afterAll(() => browser.close())

    /** A pending request, and a page that shows it. */
    const waiting = async (
      options: Parameters<typeof createWorld>[0] = {},
      entry: Parameters<Awaited<ReturnType<typeof createWorld>>['enter']>[2] = {},
    ) => {
      const world = await createWorld({ documents: [...people], ...options })
      const seen = await world.enter(browser, ada, entry)
      const agent = await world.agent()
      const taskId = await agent.openTask({ name: 'Q4 report', on_behalf_of: alice.email })
      const { request_id: requestId } = await agent.ask(taskId, personal, {
        justification: 'please',
      })
      await rowOf(seen.page, requestId).click()
      await seen.page.getByRole('button', { name: 'Approve' }).waitFor()
      return {
        ...seen,
        world,
        agent,
        taskId,
        requestId,
        [Symbol.asyncDispose]: async () => {
          await seen.context.close()
          await world.harness.close()
        },
      }
    }

    it('lets the agent continue after an approval, and its token is revoked with its task', async () => {
      await using it = await waiting()
      const { page, agent, requestId, taskId } = it

      await page.getByLabel('Token lifetime (seconds)').fill('120')
      await page.getByLabel(/^Reason/).fill('For this report only')
      await page.getByRole('button', { name: 'Approve' }).click()
      await verdict(page, 'Approved by Ada Approver')

      const seen = await agent.status(requestId)
      const token = await agent.token(requestId)
      const answer = await agent.read('doc_people', token)
      await agent.complete(taskId)
      const after = await agent.read('doc_people', token)
      expect(seen).toMatchObject({
        status: 'approved',
        granted_ttl: 120,
        agent_message: 'For this report only',
      })
      expect([answer.status, after.status]).toEqual([200, 401])
      await verdict(page, 'The permission has ended')
      expect(it.complaints).toEqual([])
    })

    it('sends the reason of a denial to the agent', async () => {
      await using it = await waiting()

      await it.page.getByLabel(/^Reason/).fill('Not needed')
      await it.page.getByRole('button', { name: 'Deny' }).click()
      await verdict(it.page, 'Denied by Ada Approver')

      expect(await it.agent.status(it.requestId)).toMatchObject({
        status: 'denied',
        agent_message: 'Not needed',
      })
    })

    it('grants fewer actions than requested, and revokes the permission', async () => {
      await using it = await waiting()
      const { page, agent } = it
      const detail = { ...personal, actions: ['read', 'export'] }
      const { request_id: requestId } = await agent.ask(it.taskId, detail)
      await rowOf(page, requestId).click()
      await page.getByRole('checkbox', { name: 'export' }).uncheck()
      await page.getByRole('checkbox', { name: 'read' }).uncheck()
      await page.getByRole('button', { name: 'Approve' }).click()
      await page.getByText('Tick at least one action, or deny the request.').waitFor()
      await page.getByRole('checkbox', { name: 'read' }).check()
      await page.getByRole('button', { name: 'Approve' }).click()
      await verdict(page, 'Permitted actions: read')
      const granted = await agent.status(requestId)
      const token = await agent.token(requestId)
      const before = await agent.read('doc_people', token)

      await page.getByRole('button', { name: 'Revoke permission' }).click()
      await page.locator('.request-head').getByText('revoked').waitFor()

      const after = await agent.read('doc_people', token)
      expect(granted.authorization_details.actions).toEqual(['read'])
      expect([before.status, after.status]).toEqual([200, 401])
    })

    it('ends a task after a confirmation', async () => {
      await using it = await waiting()
      const { page, agent, requestId } = it
      await page.getByRole('button', { name: 'Approve' }).click()
      await verdict(page, 'Approved by Ada Approver')
      const token = await agent.token(requestId)
      await page.getByRole('link', { name: 'Q4 report' }).click()

      await page.getByRole('button', { name: 'End task…' }).click()
      await page.getByRole('button', { name: 'End the task' }).click()

      await page.locator('.timeline-head').getByText('suspended', { exact: true }).waitFor()
      expect((await agent.read('doc_people', token)).status).toBe(401)
    })

    it('shows the amount of a payment in its row', async () => {
      await using it = await waiting()
      const { request_id: requestId } = await it.agent.ask(it.taskId, {
        type: 'payment',
        actions: ['initiate'],
        identifier: 'inv_2211_of_a_supplier_with_a_long_name',
        instructedAmount: { currency: 'EUR', amount: '18400.00' },
      })

      await rowOf(it.page, requestId).getByText('18400.00 EUR').waitFor()
    })

    it('keeps a half-written reason and its focus while other requests arrive', async () => {
      await using it = await waiting()
      const reason = it.page.getByLabel(/^Reason/)
      await reason.fill('Half a sen')
      const before = await reason.boundingBox()

      const { request_id: other } = await it.agent.ask(it.taskId, {
        ...personal,
        identifier: 'doc_2',
      })
      await rowOf(it.page, other).waitFor()
      await it.page.keyboard.type('tence')

      expect(await reason.inputValue()).toBe('Half a sentence')
      expect(await reason.boundingBox()).toEqual(before)
      expect(await it.page.locator('.requests').first().locator('li').count()).toBe(2)
      await it.page.getByRole('status').getByText('New request, critical risk').waitFor()
    })

    it('needs two approvers when the policy does', async () => {
      await using it = await waiting({
        policy: {
          rules: [{ name: 'two people decide', risk: 'critical', decision: 'ask', approvers: 2 }],
        },
      })
      const other = await it.world.enter(browser, grace)
      await rowOf(other.page, it.requestId).click()

      await it.page.getByRole('button', { name: 'Approve' }).click()
      await it.page.getByText('You have approved.').waitFor()
      await other.page.getByText('1 of 2').waitFor()
      const between = await it.agent.status(it.requestId)
      await other.page.getByRole('button', { name: 'Approve' }).click()
      await verdict(it.page, 'Approved by Grace Controller')

      expect(between.status).toBe('pending')
      expect(await it.agent.status(it.requestId)).toMatchObject({ status: 'approved' })
      await other.context.close()
    })

    it('disables Approve for the user an agent acts for', async () => {
      await using world = await createWorld()
      const { page, context } = await world.enter(browser, ada)
      const agent = await world.agent()
      const task = await agent.openTask({ on_behalf_of: ada.email })
      const { request_id: requestId } = await agent.ask(task, personal)
      await rowOf(page, requestId).click()

      await page
        .getByText('a user cannot decide a request of an agent that acts for this user')
        .waitFor()

      expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true)
      await context.close()
    })

    it('shows the second approver who the first was', async () => {
      await using it = await waiting()
      const other = await it.world.enter(browser, grace)
      await rowOf(other.page, it.requestId).click()
      // The other page shows the decision only after it has sent its own.
      let decides = false
      other.page.on('request', (request) => {
        decides ||= request.method() === 'POST'
        if (decides) for (const go of held) go()
      })
      const held: (() => void)[] = []
      await other.page.route('**/inbox', async (route) => {
        if (!decides) await new Promise<void>((resolve) => held.push(resolve))
        await route.continue()
      })
      await it.page.getByRole('button', { name: 'Approve' }).click()
      await verdict(it.page, 'Approved by Ada Approver')

      await other.page.getByRole('button', { name: 'Deny' }).click()

      await verdict(other.page, 'Approved by Ada Approver')
      await other.page
        .getByRole('status')
        .getByText('Too late. Approved by Ada Approver.')
        .waitFor()
      expect(await it.agent.status(it.requestId)).toMatchObject({ status: 'approved' })
      await other.context.close()
    })

    it('shows every event missed while the event stream was down', async () => {
      await using world = await createWorld({ documents: [...people] })
      await using line = await lineTo(world.harness.issuer)
      const { page, context } = await world.enter(browser, ada, { origin: line.origin })
      await page.getByRole('link', { name: 'Journal' }).click()
      await page.locator('.log li').first().waitFor()
      await line.cut()
      await page.locator('.live.lost').waitFor()
      const agent = await world.agent()
      const task = await agent.openTask({ name: 'Behind the scenes' })
      const { request_id: requestId } = await agent.ask(task, personal)

      const resumed = page.waitForRequest(
        async (request) =>
          request.url().includes('/events') &&
          (await request.allHeaders())['last-event-id'] !== undefined,
      )
      await line.mend()
      await resumed
      await page.locator('.live:not(.lost)').waitFor()

      await page.locator('.log').getByText('Behind the scenes').waitFor()
      const rows = await page.locator('.log li').all()
      const seqs = await Promise.all(
        rows.map(async (row) => Number(await row.getAttribute('data-seq'))),
      )
      expect(seqs).toEqual(seqs.map((_, at) => at + 1))
      await page.getByRole('link', { name: 'Inbox 1' }).click()
      await rowOf(page, requestId).waitFor()
      await context.close()
    })

    it('shows text of an agent as text, whatever it contains', async () => {
      await using world = await createWorld({
        agents: [{ name: 'report-bot' }],
      })
      const { page, complaints, context } = await world.enter(browser, ada)
      await page.evaluate('window.alert = () => { window.hacked = true }')
      const agent = await world.agent()
      const asked: string[] = []

      for (const text of attacks) {
        const task = await agent.openTask({ name: text.slice(0, 256) })
        const detail = { ...personal, identifier: text, note: text, [text]: text }
        const { request_id: requestId } = await agent.ask(task, detail, { justification: text })
        asked.push(requestId)
      }

      for (const [at, requestId] of asked.entries()) {
        await rowOf(page, requestId).click()
        const quote = page.getByLabel('What the agent wrote')
        await expect
          .poll(async () => visible(await quote.innerText()))
          .toBe(visible(attacks[at] ?? ''))
      }
      await page.getByRole('link', { name: 'Tasks' }).click()
      await page.locator('.tasks a').first().click()
      await page.locator('.steps li').first().waitFor()
      for (const step of await page.locator('.steps summary').all()) await step.click()
      expect(await page.evaluate('"hacked" in window')).toBe(false)
      expect(
        await page
          .locator('main script, main img, main iframe, main a[href^="javascript:"]')
          .count(),
      ).toBe(0)
      expect(complaints).toEqual([])
      await context.close()
    })

    it('spells out characters that are invisible or change the reading order', async () => {
      await using world = await createWorld()
      const { page, context } = await world.enter(browser, ada)
      const agent = await world.agent()
      const task = await agent.openTask({})
      const { request_id: requestId } = await agent.ask(
        task,
        { ...personal, identifier: 'doc_\u202egnp.exe\u200b' },
        { justification: 'safe\u2066 text' },
      )

      await rowOf(page, requestId).click()

      const identifier = page.locator('.exact dd').nth(2)
      await identifier.getByText('doc_U+202Egnp.exeU+200B', { exact: true }).waitFor()
      expect(await page.getByLabel('What the agent wrote').innerText()).toContain('safeU+2066 text')
      await context.close()
    })

    it('works with the keyboard alone', async () => {
      await using world = await createWorld({ documents: [...people] })
      const { page, context } = await world.enter(browser, ada)
      const agent = await world.agent()
      const task = await agent.openTask({})
      const first = await agent.ask(task, personal)
      const second = await agent.ask(task, { ...personal, identifier: 'doc_2' })
      await rowOf(page, second.request_id).waitFor()
      const { keyboard } = page

      await keyboard.press('j')
      await keyboard.press('j')
      await page.locator('.request h2').getByText('doc_2').waitFor()
      await keyboard.press('k')
      await page.locator('.request h2').getByText('doc_people').waitFor()
      await keyboard.press('a')
      await keyboard.press('Enter')
      await verdict(page, 'Approved by Ada Approver')
      await expect
        .poll(() => page.evaluate('document.activeElement.className'))
        .toContain('verdict')
      await keyboard.press('j')
      await page.locator('.request h2').getByText('doc_2').waitFor()
      await keyboard.press('r')
      await keyboard.type('a d j 1')
      await keyboard.press('Escape')
      await keyboard.press('d')
      await keyboard.press('Enter')
      await verdict(page, 'Denied by Ada Approver')

      expect(await agent.status(first.request_id)).toMatchObject({ status: 'approved' })
      expect(await agent.status(second.request_id)).toMatchObject({
        status: 'denied',
        agent_message: 'a d j 1',
      })
      await context.close()
    })

    it('shows the focus, and reaches every control by Tab', async () => {
      await using it = await waiting()
      const { page } = it
      await page.reload()
      await page.getByRole('button', { name: 'Approve' }).waitFor()

      const stops: Stop[] = []
      for (let at = 0; at < 40 && stops.at(-1)?.name !== 'Deny'; at += 1) {
        await page.keyboard.press('Tab')
        stops.push(await page.evaluate<Stop>(focused))
      }

      expect(stops.filter(({ outline }) => outline !== 'solid')).toEqual([])
      expect(stops.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['skip', 'Tasks', 'Sign out', 'reason', 'ttl', 'Approve', 'Deny']),
      )
    })

    it('turns off single-key shortcuts', async () => {
      await using it = await waiting()
      const { page } = it
      await page.keyboard.press('?')
      await page.getByRole('button', { name: 'Switch single keys off' }).click()
      await page.getByRole('button', { name: 'Close' }).click()

      await page.keyboard.press('2')

      expect(await page.evaluate('location.hash')).toContain('#/inbox')
    })

    it('draws the events of a task, and opens each step with its tokens decoded', async () => {
      await using it = await waiting()
      const { page, agent, requestId, taskId } = it
      await page.getByRole('button', { name: 'Approve' }).click()
      await verdict(page, 'Approved by Ada Approver')
      await page.getByRole('link', { name: 'Q4 report' }).click()
      const token = await agent.token(requestId)
      await agent.read('doc_people', token)
      await agent.complete(taskId)

      await page.locator('.timeline-head').getByText('completed').waitFor()
      await page.locator('.lineage').getByText('Revoked').waitFor()
      await page.getByRole('button', { name: /GET \/v1\/documents\/doc_people 200/ }).click()

      const open = page.locator('.step details[open]')
      await open.getByText('Token, decoded: request authorization').waitFor()
      expect(await open.innerText()).toContain('"jit": true')
      expect(await page.content()).not.toContain(token.split('.')[2])
      expect(await page.locator('.steps .arrow.decides').count()).toBe(1)
      expect(it.complaints).toEqual([])
    })

    it('advances the clock and enables misbehaviours with the control token', async () => {
      await using it = await waiting({ clock: '2026-03-02T09:00:00Z' })
      const { page, context, world } = await operating(it.world)
      const first = page.getByRole('switch').first()
      await first.waitFor()

      await page.getByRole('button', { name: '+5 min' }).click()
      await page.locator('.big-clock').getByText('2026-03-02 09:05:00 UTC').waitFor()
      await first.check()
      await expect.poll(async () => (await world.control('misbehaviours')).active.length).toBe(1)
      await first.uncheck()
      await expect.poll(async () => (await world.control('misbehaviours')).active.length).toBe(0)

      await verdict(it.page, 'Expired before a decision')
      await context.close()
    })

    it('finds a misbehaviour, lists the enabled ones, and disables all', async () => {
      await using it = await waiting()
      const { page, context, world } = await operating(it.world)
      const names = page.locator('.switch code').filter({ visible: true })
      await page.getByText(/in all$/).waitFor()

      await page.getByLabel('Search misbehaviours').fill('without revoking')
      await page.getByText(/^The search finds [1-9]\d? of/).waitFor()
      await page.getByRole('switch').first().check()
      await page.getByRole('heading', { name: 'On now (1)' }).waitFor()
      await page.getByLabel('Search misbehaviours').fill('no such misbehaviour')
      await page.getByText(/^The search finds 0 of/).waitFor()
      const listed = await page.locator('.switched-on code').innerText()
      await it.page.locator('.mark').getByText('1 misbehaving').waitFor()
      await page.getByRole('link', { name: '1 misbehaving' }).waitFor()
      await page.getByRole('button', { name: 'Switch all off' }).click()

      await expect.poll(async () => (await world.control('misbehaviours')).active).toEqual([])
      await expect.poll(() => it.page.locator('.mark').count()).toBe(0)
      expect(listed).toMatch(/revok/)
      expect(await names.count()).toBe(0)
      await context.close()
    })

    it('accepts durations in words, and marks an advanced clock', async () => {
      await using it = await waiting()
      const { page, context } = await operating(it.world)
      const by = page.getByLabel('Advance by', { exact: true })
      await by.fill('soon')
      await page.getByRole('button', { name: 'Advance', exact: true }).click()
      await page.getByText('“soon” is not a duration.').waitFor()

      await by.fill('2 h')
      await page.getByRole('button', { name: 'Advance', exact: true }).click()

      await page.getByRole('link', { name: 'Clock +2 h' }).waitFor()
      await it.page.locator('.mark').getByText('Clock +2 h').waitFor()
      await context.close()
    })

    it('lets an operator act as another approver', async () => {
      await using it = await waiting()
      const { page, context } = await operating(it.world)
      await page.getByLabel('Acting as').selectOption('Grace Controller')
      await page.getByRole('link', { name: /^Inbox/ }).click()
      await rowOf(page, it.requestId).click()

      await page.getByRole('button', { name: 'Approve' }).click()

      await verdict(page, 'Approved by Grace Controller')
      await context.close()
    })

    it('accepts the control token at sign-in, and forgets it at sign-out', async () => {
      await using world = await createWorld()
      const page = await browser.newPage()
      await page.goto(`${world.harness.issuer}/console/acme`)
      await page.getByLabel('Control token').fill('not this one')
      await page.keyboard.press('Enter')
      await page.getByText('expected the control token').waitFor()
      await page.getByLabel('Control token').fill(world.harness.controlToken)
      await page.keyboard.press('Enter')
      await page.getByText('No pending requests').waitFor()

      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByText('You are signed out.').waitFor()
      await page.reload()

      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      await page.close()
    })

    it('asks to sign in again after another tab has signed out', async () => {
      await using it = await waiting()
      const other = await it.context.newPage()
      await other.goto(`${it.world.harness.issuer}/console/acme`)

      await other.getByRole('button', { name: 'Sign out' }).click()

      await it.page.getByText('Your session has ended.').waitFor()
    })

    it('says that the tenant is deleted', async () => {
      await using it = await waiting()
      const { issuer, controlToken } = it.world.harness

      await fetch(`${issuer}/_harness/tenants/acme`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${controlToken}` },
      })

      await it.page.getByText('There is no tenant acme here.').waitFor()
    })

    it('recovers from a reset of the tenant', async () => {
      await using it = await waiting()

      await it.world.control('reset', {})

      await it.page.getByText('No pending requests').waitFor()
      await it.page.locator('.live:not(.lost)').waitFor()
    })

    it.each(['light', 'dark'] as const)(
      'has no violation that axe-core finds, in %s',
      async (colorScheme) => {
        await using it = await waiting({}, { operator: true, context: { colorScheme } })
        const { page } = it
        const faults: string[] = []
        const check = async (where: string) =>
          faults.push(...(await faultsOf(page)).map((it) => `${where}: ${it}`))

        await check('a request')
        await page.getByRole('button', { name: 'Approve' }).click()
        await verdict(page, 'Approved by Ada Approver')
        await check('a decided request')
        await it.agent.read('doc_people', await it.agent.token(it.requestId))
        for (const view of ['Tasks', 'Journal', 'Exchanges', 'Policy', 'Harness']) {
          await page.getByRole('link', { name: view }).click()
          await page.getByRole('heading', { name: view, level: 1 }).waitFor()
          await check(view)
        }
        await page.getByRole('link', { name: 'Tasks' }).click()
        await page.getByRole('link', { name: 'Q4 report' }).click()
        await page.locator('.steps li').first().waitFor()
        await page.locator('.steps summary').last().click()
        await check('a timeline')
        await page.keyboard.press('?')
        await check('the keys')
        await page.keyboard.press('Escape')
        await page.getByRole('button', { name: 'Sign out' }).click()
        await page.getByText('You are signed out.').waitFor()
        await check('the door')

        expect(faults).toEqual([])
      },
    )

    it.each([320, 360, 768, 1024, 1280])('fits a window of %i px', async (width) => {
      await using it = await waiting(
        { misbehave: ['issuer-completes-without-revoking'] },
        { operator: true, context: { viewport: { width, height: 740 } } },
      )
      const { page } = it
      await page.locator('.mark').waitFor()
      const tooWide: string[] = []
      const check = async (where: string) => {
        const wide = await page.evaluate<string[]>(cutOff)
        tooWide.push(...wide.map((it) => `${where}: ${it}`))
      }

      await check('a request')
      await page.getByRole('button', { name: 'Approve' }).click()
      await verdict(page, 'Approved by Ada Approver')
      await page.getByRole('link', { name: 'Q4 report' }).click()
      await page.locator('.steps li').first().waitFor()
      await check('a timeline')
      for (const view of ['Inbox', 'Tasks', 'Journal', 'Exchanges', 'Policy', 'Harness']) {
        await page.getByRole('link', { name: view }).first().click()
        await page.getByRole('heading', { name: view, level: 1 }).waitFor({ state: 'attached' })
        await check(view)
      }

      expect(tooWide).toEqual([])
    })

    it('replays a policy that is pasted, and reports mistakes with their place', async () => {
      await using it = await waiting()
      const { page } = it
      await page.getByRole('button', { name: 'Approve' }).click()
      await verdict(page, 'Approved by Ada Approver')
      await page.getByRole('link', { name: 'Policy' }).click()
      const replay = async (policy: string) => {
        await page.getByLabel('New policy (YAML or JSON)').fill(policy)
        await page.getByRole('button', { name: 'Replay' }).click()
      }

      await replay('rulez: []')
      await page.getByText(/^policy:1:1: unknown key "rulez"/).waitFor()
      await replay('rules: [{ name: all, when: {}, risk: low, decision: approve }]')
      await page
        .locator('main')
        .getByText(
          '1 decided request: the new policy spares people 1 prompt and gives them 0 prompts.',
        )
        .waitFor()

      const changed = page.getByRole('region', { name: 'Requests decided otherwise' })
      expect(await changed.innerText()).toContain('ask → approve')
      expect(await page.locator('svg.chart[role=img] rect.approve').count()).toBe(2)
      expect(await page.evaluate<string[]>(cutOff)).toEqual([])
      expect(await faultsOf(page)).toEqual([])
    })

    it('shifts no layout while requests arrive', async () => {
      await using it = await waiting()
      const { page } = it
      await page.evaluate(`
        window.shifts = []
        new PerformanceObserver((list) => {
          for (const { value } of list.getEntries()) window.shifts.push(value)
        }).observe({ type: 'layout-shift' })
      `)

      for (const identifier of ['a', 'b', 'c']) {
        const { request_id: requestId } = await it.agent.ask(it.taskId, { ...personal, identifier })
        await rowOf(page, requestId).waitFor()
      }

      const shifts = await page.evaluate<number[]>(`
        new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
          .then(() => window.shifts)
      `)
      expect(shifts.reduce((sum, it) => sum + it, 0)).toBeLessThan(0.01)
    })

    const operating = async (world: Awaited<ReturnType<typeof createWorld>>) => {
      const seen = await world.enter(browser, ada, { operator: true })
      await seen.page.getByRole('link', { name: 'Harness' }).click()
      return { ...seen, world }
    }
  },
)

/** Waits for the outcome of the open request. */
const verdict = (page: Page, text: string) => page.locator('.verdict').getByText(text).waitFor()

const rowOf = (page: Page, requestId: string) => page.locator(`[data-key="${requestId}"] a.row`)

type Stop = Readonly<{ name: string; outline: string }>

/** The focused element, and its outline; run in the page. */
const focused = `({
  name: document.activeElement.id || document.activeElement.innerText.split('\\n')[0],
  outline: getComputedStyle(document.activeElement).outlineStyle,
})`

/** Elements outside the window, or that need sideways scrolling; run in the page. */
const cutOff = `[
  ...['html', 'main', '.tabs']
    .filter((it) => {
      const { scrollWidth, clientWidth } = document.querySelector(it)
      return scrollWidth > clientWidth
    })
    .map((it) => it + ' scrolls sideways'),
  ...[...document.querySelectorAll('.top *')]
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 0.5)
    .map((it) => it.outerHTML.slice(0, 80)),
]`

/** Everything axe-core reports, except minor violations. */
const faultsOf = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run()')
  return violations
    .filter(({ impact }) => impact !== 'minor')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id} at ${html.slice(0, 160)}`))
}

/** The text a reader sees, whatever its whitespace. */
const visible = (text: string) => text.replace(/\s+/g, ' ').trim()

const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "'-alert(1)-'",
  '</blockquote></main><iframe src="javascript:alert(1)"></iframe>',
  'javascript:alert(1)',
  '$' + '{alert(1)}{{constructor.constructor("alert(1)")()}}',
  '<a href="javascript:alert(1)">click</a>',
  '<style>*{display:none}</style>',
  '<base href="https://evil.example/">',
  '<form action="https://evil.example"><button>Approve</button></form>',
  '&lt;b&gt;bold&lt;/b&gt; &amp;copy;',
  '<math><mtext></p><style><img src=x onerror=alert(1)></style>',
]
