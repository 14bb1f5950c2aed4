import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import axe, { type AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failing, openWorld, passing } from '../scenarios/ui/world.ts'
import { lineTo } from './line.ts'
import { launch, noBrowser } from './world.ts'

const endless = `scenario: A scenario that never ends by itself
steps:
  - eventually:
      within: PT10H
      steps:
        - call: GET /v1/documents/doc_9982
          expect: { status: 200 }
`

describe.skipIf(noBrowser)('the page for the suite', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  /** A page that opened the link, and what the browser complained about. */
  const entered = async (
    link: string,
    options: BrowserContextOptions = { viewport: { width: 1440, height: 900 } },
  ) => {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(10_000)
    context.setDefaultNavigationTimeout(30_000)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/i.test(message.text())) complaints.push(message.text())
    })
    await page.goto(link)
    await page.locator('.row').first().waitFor({ state: 'attached' })
    return { page, context, complaints }
  }
  const area = (page: Page) => page.getByLabel('Scenario as YAML')
  const opened = async (
    files?: Parameters<typeof openWorld>[0],
    options?: Parameters<typeof openWorld>[1],
  ) => {
    const world = await openWorld(files, options)
    const { page, context, complaints } = await entered(world.ui.link())
    // Typed before, a text would be replaced by that of the file.
    await expect.poll(() => area(page).inputValue()).not.toBe('')
    return {
      ...world,
      page,
      context,
      complaints,
      [Symbol.asyncDispose]: async () => {
        await context.close()
        await world[Symbol.asyncDispose]()
      },
    }
  }
  const toolbar = (page: Page) => page.getByRole('toolbar', { name: 'Scenario' })
  const run = (page: Page) => toolbar(page).getByRole('button', { name: /^Run/ }).click()
  const verdict = (page: Page, is: string) => page.locator(`.verdict.is-${is}`).waitFor()
  /** Replaces a text in the editor, once the editor has it. */
  const retype = async (page: Page, from: string, to: string) => {
    await expect.poll(() => area(page).inputValue()).toContain(from)
    await area(page).evaluate(
      (it, [search, length]) => {
        const input = it as unknown as {
          value: string
          focus: () => void
          setSelectionRange: (from: number, to: number) => void
        }
        const at = input.value.indexOf(search as string)
        input.focus()
        input.setSelectionRange(at, at + (length as number))
      },
      [from, from.length],
    )
    await page.keyboard.type(to)
    await page.keyboard.press('Escape')
  }

  it('edits, runs, breaks and mends a scenario', async () => {
    await using it = await opened()
    const { page } = it

    await run(page)
    await verdict(page, 'passed')
    await retype(page, '403', '200')
    await run(page)
    await verdict(page, 'failed')
    const failure = await page.getByRole('group', { name: 'Failure' }).innerText()
    const failingLine = await page.locator('.gutter .failing').innerText()
    const untouched = it.read('refused.yaml')
    await retype(page, '200', '403')
    await retype(page, 'call:', 'cal:')
    const mistake = await page
      .getByRole('button', { name: /^4:5 unknown action "cal"/ })
      .innerText()
    await run(page)
    await retype(page, 'cal:', 'call:')
    await page.locator('.mistakes:empty').waitFor({ state: 'attached' })
    await retype(page, 'steps:', 'tags: [mended]\nsteps:')
    await run(page)
    await verdict(page, 'passed')
    await toolbar(page).getByRole('button', { name: 'Save', exact: true }).click()
    await page.locator('.file:not(.dirty)').waitFor()

    expect(failure).toContain('200')
    expect(failingLine).toBe('5')
    expect(untouched).toBe(passing())
    expect(mistake).toContain('call')
    expect(it.read('refused.yaml')).toBe(passing().replace('steps:', 'tags: [mended]\nsteps:'))
    expect(it.complaints).toEqual([])
  })

  it('completes keys at the caret', async () => {
    await using it = await opened()
    const { page } = it
    await area(page).press('Control+End')

    await page.keyboard.type('  - open')
    await page.getByRole('option', { name: /^open_task/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.type('{}')

    expect(await area(page).inputValue()).toContain('  - open_task: {}')
    await page.locator('.mistakes:empty').waitFor({ state: 'attached' })
  })

  it('steps through requests, tokens, rule and journal', async () => {
    await using it = await opened({
      'two.yaml': `${passing()}  - open_task: { name: The second step }\n`,
    })
    const { page } = it
    await run(page)
    await verdict(page, 'passed')
    const panel = page.locator('.panel-step:not([hidden])')
    const shows = async (text: RegExp) => expect.poll(() => panel.innerText()).toMatch(text)

    await page.locator('.steps [data-step="1"]').click()
    await shows(/Step 1: call line 4/)
    const first = await panel.innerText()
    const marked = await page.locator('.diagram a.now').count()
    await page.getByRole('button', { name: 'Next ›' }).click()
    await shows(/Step 2: open_task line 6/)
    const second = await panel.innerText()
    await page.locator('.diagram a').last().click()

    for (const word of [
      'Insufficient-Authorization-Details',
      '‹agent token 1›',
      'Contract: Challenge',
    ]) {
      expect(first.toLowerCase()).toContain(word.toLowerCase())
    }
    expect(marked).toBe(2)
    expect(second).toMatch(/task\.opened/)
    expect(second).toMatch(/The second step\s+active/)
    expect(it.complaints).toEqual([])
  })

  it('says which step notices a misbehaviour, and marks what holds for every run', async () => {
    await using it = await opened()
    const { page } = it

    await page.getByRole('button', { name: 'Misbehaviour…' }).click()
    await page.getByLabel('Search misbehaviours').fill('challenge missing')
    await page.getByRole('button', { name: /^api-challenge-missing/ }).click()
    await run(page)
    await verdict(page, 'failed')
    const noticed = await page.locator('.said').innerText()
    await page.getByRole('button', { name: 'Switch the misbehaviour off' }).click()
    await run(page)
    await verdict(page, 'passed')

    expect(noticed).toMatch(/^Noticed at step 1: .*\(with api-challenge-missing on\)$/)
  })

  it('asks which text is to stay where the file has changed on disk, and loses neither', async () => {
    await using it = await opened()
    const { page } = it
    const theirs = passing('A title that an editor wrote meanwhile')
    await retype(page, 'covers', '# mine\ncovers')
    it.write('refused.yaml', theirs)
    await page.getByText('The file has changed on disk').waitFor()
    await page.getByText('Compare').click()
    const both = await page.locator('.versions pre').allInnerTexts()

    await page.getByRole('button', { name: 'Take the file’s text' }).click()
    const taken = await area(page).inputValue()
    await toolbar(page).getByRole('button', { name: 'Restore my text' }).click()
    await toolbar(page).getByRole('button', { name: 'Save', exact: true }).click()
    await page.locator('.file:not(.dirty)').waitFor()

    const mine = passing().replace('covers', '# mine\ncovers')
    expect(both).toEqual([theirs, mine])
    expect(taken).toBe(theirs)
    expect(it.read('refused.yaml')).toBe(mine)
  })

  it('accepts no text before it has read the file', async () => {
    await using it = await opened()
    const { page } = it
    const read = Promise.withResolvers<void>()
    await page.route(/\/scenarios\/[^/]+$/, async (route) => {
      await read.promise
      await route.continue()
    })
    await page.reload()
    await page.locator('.row').first().waitFor({ state: 'attached' })

    await area(page).press('End')
    await page.keyboard.type('lost')
    const isEditable = await area(page).isEditable()
    read.resolve()

    expect(isEditable).toBe(false)
    await expect.poll(() => area(page).inputValue()).toBe(passing())
    expect(await area(page).isEditable()).toBe(true)
    expect(it.complaints).toEqual([])
  })

  it('keeps an unsaved text over a reload of the page', async () => {
    await using it = await opened()
    const { page } = it
    page.on('dialog', (dialog) => void dialog.accept())

    await retype(page, '403', '200')
    await page.reload()

    await page.locator('.file.dirty').waitFor()
    expect(await area(page).inputValue()).toBe(passing().replace('403', '200'))
  })

  it('stops a scenario that never ends', async () => {
    await using it = await opened({ 'endless.yaml': endless })
    const { page } = it
    await run(page)
    await verdict(page, 'running')

    await toolbar(page).getByRole('button', { name: 'Stop' }).click()

    await verdict(page, 'skipped')
    expect(await page.locator('.said').innerText()).toBe('Skipped: stopped by hand')
  })

  it('shows the verdicts of one tab in another, and updates a file that the other saved', async () => {
    await using it = await opened()
    const { page, context } = it
    const other = await context.newPage()
    await other.goto(it.ui.origin)
    await other.locator('.row').first().waitFor({ state: 'attached' })

    await retype(page, '403', '200')
    await toolbar(page).getByRole('button', { name: 'Save', exact: true }).click()
    await page.locator('.file:not(.dirty)').waitFor()
    await run(page)

    await verdict(other, 'failed')
    expect(await area(other).inputValue()).toBe(passing().replace('403', '200'))
  })

  it('runs a watched file when it is saved elsewhere', async () => {
    await using it = await opened()
    const { page } = it
    await toolbar(page).getByRole('button', { name: 'Watch' }).click()
    await toolbar(page).getByRole('button', { name: 'Watching' }).waitFor()

    it.write('refused.yaml', failing)

    await verdict(page, 'failed')
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(
      'A document is open to every agent',
    )
  })

  it('says that the connection is lost, locks its buttons, and connects again', async () => {
    const world = await openWorld()
    await using line = await lineTo(world.ui.origin)
    const { page, context } = await entered(world.ui.link().replace(world.ui.origin, line.origin))
    await page.locator('.live:not(.lost)').waitFor()

    await line.cut()
    await page.getByRole('alert').getByText('Connection lost.').waitFor()
    const isLocked = await toolbar(page).getByRole('button', { name: /^Run/ }).isDisabled()
    await line.mend()
    await page.locator('.live:not(.lost)').waitFor()
    await run(page)
    await verdict(page, 'passed')

    expect(isLocked).toBe(true)
    expect(await page.getByText('Connection lost.').count()).toBe(0)
    await context.close()
    await world[Symbol.asyncDispose]()
  })

  it('searches 2000 scenarios while it shows them', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, at) => [
        `s${at}.yaml`,
        passing(`Rule number ${at} of a long list`),
      ]),
    )
    await using it = await opened(files)
    const { page } = it
    await expect.poll(() => page.locator('.row').count()).toBe(2000)

    const started = performance.now()
    await page.getByLabel('Search', { exact: true }).fill('number 1999')
    await page.getByRole('button', { name: 'Run 1 shown' }).click()
    await page.getByRole('button', { name: 'passed', exact: true }).click()
    await page.locator('.row.is-passed').waitFor()

    expect(performance.now() - started).toBeLessThan(15_000)
    expect(await page.locator('.row:visible').count()).toBe(1)
  })

  it.each([
    [1440, 900],
    [900, 800],
    [390, 844],
  ])('has its buttons in view, and no line cut, at %i × %i', async (width, height) => {
    await using world = await openWorld()
    const { page, context } = await entered(world.ui.link(), { viewport: { width, height } })
    const inView = async (names: readonly string[]) => {
      for (const name of names) {
        const box = await page
          .getByRole('button', { name, exact: name === 'Save' })
          .first()
          .boundingBox()
        expect(box, name).not.toBe(null)
        if (box === null) continue
        expect(box.x, name).toBeGreaterThanOrEqual(0)
        expect(box.y, name).toBeGreaterThanOrEqual(0)
        expect(box.x + box.width, name).toBeLessThanOrEqual(width)
        expect(box.y + box.height, name).toBeLessThanOrEqual(height)
      }
    }

    await inView(['Run all 1', 'Run failed', 'Misbehaviour…'])
    await page.locator('.row a').first().click()
    await run(page)
    await verdict(page, 'passed')
    await inView(['Save', 'Watch'])
    const box = await toolbar(page).getByRole('button', { name: 'Run' }).boundingBox()
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    )

    expect((box?.y ?? 0) + (box?.height ?? height)).toBeLessThan(height)
    expect(overflow).toBe(0)
    await context.close()
  })

  it.each(['light', 'dark'] as const)('passes axe in %s', async (colorScheme) => {
    await using world = await openWorld({ 'a.yaml': passing(), 'b.yaml': failing })
    const { page, context } = await entered(world.ui.link(), {
      viewport: { width: 1440, height: 900 },
      colorScheme,
      bypassCSP: true,
    })
    await page.getByRole('button', { name: 'Run all 2' }).click()
    await page.locator('.row.is-failed a').click()
    await verdict(page, 'failed')
    await page.locator('.panel-step:not([hidden])').waitFor()

    await page.evaluate(axe.source)
    const { violations } = (await page.evaluate('axe.run()')) as AxeResults

    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html).join(' ')}`),
    ).toEqual([])
    await context.close()
  })

  it('opens with the tour, prints its link without a terminal, and ends cleanly on SIGINT', async () => {
    const cli = fileURLToPath(new URL('../../scenarios/cli.ts', import.meta.url))
    const child = spawn(process.execPath, [cli, 'run', '--ui'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk
    })
    await expect.poll(() => said, { timeout: 30_000 }).toMatch(/http:\S+#code=\S+/)
    const [link = ''] = /http:\S+/.exec(said) ?? []

    const { page, context, complaints } = await entered(link)
    const places: string[] = []
    for (let at = 1; at <= 8; at += 1) {
      await page.getByText(`Learn · ${at} of 8`).waitFor()
      await run(page)
      await verdict(page, 'passed')
      places.push(await page.getByRole('heading', { level: 1 }).innerText())
      if (at < 8) await page.getByRole('link', { name: 'Continue ›' }).click()
    }
    await context.close()
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')

    expect(places[0]).toMatch(/refuses a call/)
    expect(places[7]).toMatch(/revokes its tokens/)
    expect(complaints).toEqual([])
    expect(code).toBe(0)
  })
})
