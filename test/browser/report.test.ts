import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesOf, rulesFile } from '../../scenarios/cli/find-scenarios.ts'
import { loadScenarios } from '../../scenarios/language/load.ts'
import { html } from '../../scenarios/reports/html.ts'
import { loadRules } from '../../scenarios/runner/rules.ts'
import { run } from '../../scenarios/runner/run.ts'
import { mock } from '../../scenarios/targets/mock/mock.ts'
import { scenarioOf } from '../scenarios/support.ts'
import { launch, noBrowser } from './world.ts'

const failing = scenarioOf(
  `scenario: A document is open to whoever <img src=x onerror=document.title=1>
covers: [THR-22]
steps:
  - call: GET /v1/documents/doc_9982
    expect: { status: 200 }
`,
  'suite/demo/failing.yaml',
)

describe.skipIf(noBrowser)('the HTML report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'))
  const file = join(folder, 'report.html')
  let browser: Browser
  let text: string

  beforeAll(async () => {
    const { scenarios } = await loadScenarios(filesOf(['founding', 'approvals']))
    const { catalogue } = await loadRules(rulesFile())
    const target = await mock('fetch')
    const results = await run([failing, ...scenarios], target, { policies: true })
    await target.close()
    text = html([results], { rules: [...catalogue.rules.values()] })
    writeFileSync(file, text)
    browser = await launch()
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  const opened = async (options: BrowserContextOptions = {}, hash = '') => {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(10_000)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(request.url())
    })
    await page.goto(`${pathToFileURL(file)}${hash}`)
    return { page, complaints }
  }

  it('opens without a complaint and loads nothing', async () => {
    const { page, complaints } = await opened()

    expect(await page.title()).toMatch(/^1 of \d+ scenarios failed$/)
    expect(complaints).toEqual([])
  })

  it('shows the failure first, and its line', async () => {
    const { page } = await opened()

    await page.getByRole('link', { name: 'A document is open to whoever <img' }).first().click()

    const failure = page.getByRole('group', { name: 'Failure' })
    await expect.poll(() => failure.innerText()).toContain('expect: { status: 200 }')
  })

  it('lists what failed before every theme, and counts each verdict at its filter', async () => {
    const { page } = await opened()
    const buttons = await page.locator('[data-verdict]').allInnerTexts()
    const firstHeading = await page.locator('main h3').first().innerText()
    const failed = await page.locator('.theme').first().locator('.scenario').count()

    const total = await page.locator('.scenario').count()
    expect(buttons).toEqual([`all ${total}`, 'failed 1', `passed ${total - 1}`, 'skipped 0'])
    expect(firstHeading.toLowerCase()).toBe('failed')
    expect(failed).toBe(1)
    await page.getByText('The 10 slowest').click()
    expect(await page.locator('.slowest tr').count()).toBe(10)
  })

  it('says in words which rules are broken, and what each prefix is about', async () => {
    const { page } = await opened()

    const broken = await page.locator('.broken-rules').innerText()
    const families = await page.locator('.family > div:first-child').allInnerTexts()

    expect(broken).toContain('THR-22')
    expect(broken.length).toBeGreaterThan(30)
    expect(families.filter((it) => !/^[A-Z]+ ./.test(it.replace('\n', ' ')))).toEqual([])
  })

  it('stays below 12 kB a scenario in the two longest themes, so that the suite fits into 5 MB', async () => {
    const { page } = await opened()
    const sizes = (
      await page.locator('.scenario').evaluateAll((all) => all.map((it) => it.outerHTML.length))
    ).toSorted((a, b) => b - a)

    expect(sizes.reduce((sum, it) => sum + it, 0) / sizes.length).toBeLessThan(12_000)
  })

  it('filters by words and by verdict', async () => {
    const { page } = await opened()
    const visible = page.locator('.scenario:visible')
    const all = await visible.count()

    await page.getByLabel('Filter').fill('hitl-05 agent')
    const found = await visible.count()
    await page.getByLabel('Filter').fill('')
    await page.getByRole('button', { name: 'failed' }).click()

    expect(found).toBeGreaterThan(0)
    expect(found).toBeLessThan(all)
    expect(await visible.count()).toBe(1)
  })

  it('opens what a link leads to, filtered out or not', async () => {
    const { page } = await opened({}, '#rules')
    await page.getByLabel('Filter').fill('nothing is called this')
    expect(await page.getByText('No scenario fits the filter.').isVisible()).toBe(true)

    await page.getByLabel('THR-22, broken').click()
    await page.locator('#rule-THR-22').getByRole('link').click()

    await page.locator('.failure').waitFor()
  })

  it('shows tokens decoded, and no more of them', async () => {
    const { page } = await opened()
    await page.getByText('The reference client escalates once on a challenge').first().click()

    await page.locator('.scenario[open] .token summary', { hasText: 'jit token' }).first().click()

    const claims = await page.locator('.scenario[open] .token[open] pre').innerText()
    expect(claims).toContain('"jit": true')
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ/)
  })

  it.for([
    ['a phone', { viewport: { width: 360, height: 740 } }],
    ['a wide screen', { viewport: { width: 1600, height: 900 } }],
  ] as const)('does not scroll sideways on %s', async ([, options]) => {
    const { page } = await opened(options)
    for (const it of await page.locator('.scenario > summary').all()) await it.click()

    const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')

    expect((widths as number[])[0]).toBeLessThanOrEqual((widths as number[])[1] ?? 0)
  })

  it('is dark where people want it dark', async () => {
    const background = async (colorScheme: 'light' | 'dark') => {
      const { page } = await opened({ colorScheme })
      return page.evaluate('getComputedStyle(document.body).backgroundColor')
    }

    expect(await background('dark')).not.toBe(await background('light'))
  })

  it('can be read where a server forbids every script and style', async () => {
    const page = await browser.newPage()
    await page.route('http://ci.test/', (route) =>
      route.fulfill({
        body: text,
        contentType: 'text/html',
        headers: { 'content-security-policy': "sandbox; default-src 'none'" },
      }),
    )
    await page.goto('http://ci.test/')

    expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(/scenarios failed/)
    expect(await page.locator('.failure').innerText()).toContain('403')
    expect(await page.getByLabel('Filter').isVisible()).toBe(false)
  })
})
