/** Takes the screenshots of the README: `node test/browser/screenshots.ts [FOLDER]`. */
import { mkdir } from 'node:fs/promises'
import { ada, alice, createWorld, grace, launch } from './world.ts'

const folder = process.argv[2] ?? 'server/console/screenshots'
await mkdir(folder, { recursive: true })

await using world = await createWorld({
  clock: '2026-03-02T09:14:00Z',
  seed: 7,
  agents: [{ name: 'report-bot' }, { name: 'billing-agent' }],
  users: [ada, grace, alice],
  policy: {
    rules: [
      {
        name: 'payments take two people',
        when: { type: 'payment' },
        risk: 'critical',
        decision: 'ask',
        approvers: 2,
      },
      {
        name: 'personal data waits for a human',
        when: { type: 'user_data' },
        risk: 'critical',
        decision: 'ask',
      },
      {
        name: 'what cannot be undone waits for a human',
        when: { actions: ['delete', 'execute'] },
        risk: 'high',
        decision: 'ask',
      },
      { name: 'reads are approved', risk: 'low', decision: 'approve' },
    ],
  },
  documents: [
    {
      id: 'doc_9982',
      title: 'Q4 revenue',
      classification: 'confidential',
      body: 'Revenue rose 12 %.',
    },
    { id: 'doc_people', title: 'Salaries', classification: 'restricted', body: 'Ada earns most.' },
  ],
})
const bot = await world.agent('report-bot')
const billing = await world.agent('billing-agent')

const task = await bot.openTask({ name: 'Compare salaries', on_behalf_of: alice.email })
await bot.read('doc_people')
const people = await bot.ask(
  task,
  { type: 'user_data', actions: ['read'], identifier: 'doc_people' },
  {
    justification:
      'The summary compares salaries across teams. I only need totals per team, and will not copy a single row.',
  },
)
await world.control('clock', { advance: 'PT5S' })
await bot.status(people.request_id)
await world.control('clock', { advance: 'PT37S' })
const invoices = await billing.openTask({
  name: 'Pay the March invoices',
  on_behalf_of: alice.email,
})
await billing.ask(
  invoices,
  {
    type: 'payment',
    actions: ['initiate'],
    identifier: 'invoice_2026_0311',
    locations: ['https://bank.example/v2'],
    amount: { currency: 'EUR', value: '18400.00' },
  },
  { justification: 'Invoice 2026-0311 of Acme Hosting is due on Friday.' },
)
await world.control('clock', { advance: 'PT25S' })
const cleaning = await bot.openTask({ name: 'Tidy the drafts' })
await bot.ask(
  cleaning,
  { type: 'file_access', actions: ['delete'], identifier: 'draft_17' },
  { justification: 'An old draft that is no longer needed.' },
)

const browser = await launch()
const shot = async (name: string, options: Parameters<typeof world.enter>[2], act: Act) => {
  const { page, complaints, context } = await world.enter(browser, ada, options)
  await act(page)
  await page.screenshot({ path: `${folder}/${name}.png` })
  if (complaints.length > 0) console.error(name, complaints)
  await context.close()
}
type Act = (page: Awaited<ReturnType<typeof world.enter>>['page']) => Promise<unknown>

const first: Act = (page) => page.locator('.requests a').first().click()
await shot('inbox', {}, first)
if (process.argv.includes('--all')) {
  await shot(
    'inbox-dark',
    { context: { colorScheme: 'dark', viewport: { width: 1280, height: 860 } } },
    async (page) => {
      await page.locator('.requests a').nth(1).click()
    },
  )
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1 }
  await shot('phone-list', { context: phone }, async () => {})
  await shot('phone-request', { context: phone, operator: true }, first)
}

const { page: deciding } = await world.enter(browser, ada)
await deciding.locator(`[data-key="${people.request_id}"] a`).click()
await deciding.getByRole('button', { name: 'Approve' }).click()
await deciding.locator('.verdict:not([hidden])').waitFor()
if (process.argv.includes('--all')) await deciding.screenshot({ path: `${folder}/approved.png` })
await world.control('clock', { advance: 'PT3S' })
const salaries = await bot.token(people.request_id)
await bot.read('doc_people', salaries)
await world.control('clock', { advance: 'PT2S' })
await bot.complete(task)
await bot.read('doc_people', salaries)

const timeline: Act = async (page) => {
  await page.getByRole('link', { name: 'Tasks' }).click()
  await page.getByRole('link', { name: 'Compare salaries' }).click()
  await page.locator('.steps li').first().waitFor()
}
await shot('timeline', { context: { viewport: { width: 1180, height: 1160 } } }, timeline)
if (process.argv.includes('--all')) {
  await shot(
    'timeline-long',
    { context: { viewport: { width: 1280, height: 2200 } } },
    async (page) => {
      await timeline(page)
      await page.locator('.steps summary').nth(4).click()
    },
  )
  await shot(
    'timeline-dark',
    { context: { colorScheme: 'dark', viewport: { width: 1280, height: 1400 } } },
    timeline,
  )
  await shot('timeline-phone', { context: { viewport: { width: 390, height: 1600 } } }, timeline)
  await shot('tasks', { operator: true }, (page) =>
    page.getByRole('link', { name: 'Tasks' }).click(),
  )
  await shot('journal', { operator: true }, async (page) => {
    await page.getByRole('link', { name: 'Journal' }).click()
    await page.locator('.log summary').last().click()
  })
  await shot('exchanges', {}, async (page) => {
    await page.getByRole('link', { name: 'Exchanges' }).click()
    await page.locator('.log summary').nth(3).click()
  })
  await shot('harness', { operator: true }, (page) =>
    page.getByRole('link', { name: 'Harness' }).click(),
  )
  const outside = await browser.newPage()
  await outside.goto(`${world.harness.issuer}/console/acme`)
  await outside.getByRole('button', { name: 'Sign in' }).waitFor()
  await outside.screenshot({ path: `${folder}/sign-in.png` })
}
await browser.close()
