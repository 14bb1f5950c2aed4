import { createHash } from 'node:crypto'
import { type FSWatcher, lstatSync, realpathSync, watch } from 'node:fs'
import { lstat, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { type Loaded, type Problem, readScenario } from '../language/load.ts'

/** A scenario file as it is on disk now. */
export type Entry = Readonly<{
  /** Names the file in URLs, so that no path comes from a browser. */
  id: string
  path: string
  /** Its name in messages. */
  file: string
  theme: string
  title: string
  /** Changes with the text. */
  version: string
  /** Why the page may not write it. */
  locked?: string | undefined
  problems: readonly Problem[]
  scenario?: Loaded | undefined
}>

/** What the workspace is made from. */
export type WorkspaceOptions = Readonly<{
  /** The scenario files; asked again when a file appears. */
  list: () => readonly string[]
  /** Folders whose files may be read and written. */
  roots: readonly string[]
  /** The files of the tour, which stand first. */
  tour: readonly string[]
  /** Whether a scenario is shown. */
  filter?: (scenario: Loaded) => boolean
  /** Why a file may not be written. */
  locked?: (path: string) => string | undefined
  write: (path: string, text: string) => Promise<void>
  /** Called when files have changed on disk, appeared or disappeared. */
  onChange?: (changed: readonly Entry[], gone: readonly string[]) => void
}>

/** A file that may not be read or written, or is not known. */
export class NotAllowed extends Error {
  override readonly name = 'NotAllowed'
}

/** The file on disk is not the one that was edited. */
export class EditConflict extends Error {
  override readonly name = 'EditConflict'
  readonly text: string
  readonly version: string
  constructor(text: string) {
    super('the file has changed on disk since it was opened')
    this.text = text
    this.version = versionOf(text)
  }
}

/** The scenario files of a session: reads, checks, watches and writes them, and no others. */
export class Workspace {
  readonly #options: WorkspaceOptions
  readonly #roots: readonly string[]
  readonly #entries = new Map<string, Entry>()
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #late = new Map<string, NodeJS.Timeout>()

  constructor(options: WorkspaceOptions) {
    this.#options = options
    this.#roots = options.roots.flatMap((it) => realFolder(it) ?? [])
  }

  /** Reads every file of the list. */
  async load(): Promise<void> {
    const { tour, list } = this.#options
    const paths = [...new Set([...tour, ...list()].map(place))]
    const read = await Promise.all(paths.map((it) => this.#read(it)))
    const entries = read.filter((it) => it !== undefined)
    this.#entries.clear()
    for (const it of entries) this.#entries.set(it.id, it)
  }

  /** The tour first, then the list, in its order. */
  get entries(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  /** @throws {NotAllowed} for an unknown id */
  find(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw new NotAllowed('no such scenario')
    return entry
  }

  /** The text of a file now. @throws {NotAllowed} */
  async text(id: string): Promise<Readonly<{ text: string; version: string }>> {
    const text = await this.#readOwn(this.find(id).path)
    return { text, version: versionOf(text) }
  }

  /** The mistakes of a text that is not saved. */
  check(id: string, text: string): Readonly<{ scenario?: Loaded; problems: readonly Problem[] }> {
    const { file, theme } = this.find(id)
    const { scenario, problems } = readScenario(file, text)
    const all = [...problems, ...this.#sharedTitle(id, scenario)]
    return scenario === undefined
      ? { problems: all }
      : { scenario: { ...scenario, theme }, problems: all }
  }

  /**
   * Writes a file, where it still has the version that was edited.
   * @throws {EditConflict} where it has another one
   * @throws {NotAllowed}
   */
  async save(id: string, text: string, version: string): Promise<Entry> {
    const { path, locked } = this.find(id)
    if (locked !== undefined) throw new NotAllowed(locked)
    const there = await this.#readOwn(path)
    if (versionOf(there) !== version) throw new EditConflict(there)
    await this.#options.write(path, text)
    return this.#renew(path) as Promise<Entry>
  }

  /** Watches the folders of the files. */
  watch(): void {
    for (const folder of new Set([...this.#entries.values()].map(({ path }) => dirname(path)))) {
      if (this.#watchers.has(folder)) continue
      const watcher = watch(folder, (_, name) => {
        if (name === null || !/\.ya?ml$/.test(name)) return
        // An editor writes a file in several steps.
        const path = join(folder, name)
        clearTimeout(this.#late.get(path))
        this.#late.set(
          path,
          setTimeout(() => void this.#look(path), 60),
        )
      })
      watcher.on('error', () => watcher.close())
      this.#watchers.set(folder, watcher)
    }
  }

  close(): void {
    for (const it of this.#watchers.values()) it.close()
    for (const it of this.#late.values()) clearTimeout(it)
  }

  async #look(path: string): Promise<void> {
    const before = this.#entries.get(idOf(path))
    if (before === undefined && !this.#options.list().some((it) => place(it) === path)) return
    const now = await this.#renew(path)
    if (now === undefined) {
      if (before !== undefined) this.#options.onChange?.([], [before.id])
    } else if (now.version !== before?.version) this.#options.onChange?.([now], [])
  }

  async #renew(path: string): Promise<Entry | undefined> {
    const entry = await this.#read(path)
    if (entry === undefined) this.#entries.delete(idOf(path))
    else this.#entries.set(entry.id, entry)
    return entry
  }

  /** @returns undefined for a file that is gone, that may not be read, or that the filter leaves out */
  async #read(path: string): Promise<Entry | undefined> {
    const text = await this.#readOwn(path).catch(() => undefined)
    if (text === undefined) return undefined
    const file = relative(process.cwd(), path)
    const { scenario, problems } = readScenario(file, text)
    if (scenario !== undefined && this.#options.filter?.(scenario) === false) return undefined
    const isTour = this.#options.tour.includes(path)
    const isElsewhere = scenario === undefined || file.startsWith('..')
    const theme = isTour ? 'learn' : isElsewhere ? basename(dirname(path)) : scenario.theme
    return {
      id: idOf(path),
      path,
      file,
      theme,
      title: scenario?.title ?? basename(path),
      version: versionOf(text),
      locked: this.#options.locked?.(path),
      problems,
      scenario: scenario && { ...scenario, theme },
    }
  }

  /** Reads a file that is none of a link, in one of the folders. @throws {NotAllowed} */
  async #readOwn(path: string): Promise<string> {
    const isOwn = this.#roots.some((it) => path.startsWith(it + sep))
    if (!isOwn) throw new NotAllowed('the file is outside of the folders of this session')
    const real = await realpath(path).catch(() => undefined)
    if (real === undefined) throw new NotAllowed('the file does not exist any more')
    if (real !== path || !(await lstat(path)).isFile()) {
      throw new NotAllowed('the path leads through a link, and links are not followed')
    }
    return readFile(path, 'utf8')
  }

  #sharedTitle(id: string, scenario: Loaded | undefined): readonly Problem[] {
    const other = this.entries.find((it) => it.id !== id && it.scenario?.title === scenario?.title)
    if (scenario === undefined || other === undefined) return []
    const at = scenario.source.locate(['scenario'])
    return [{ at, message: `this is also the title of ${other.file}`, severity: 'warning' }]
  }
}

/** The path of a file without links in the names of its folders; a link as the file stays one. */
const place = (file: string): string => {
  const path = resolve(file)
  const folder = realFolder(dirname(path))
  return folder === undefined ? path : join(folder, basename(path))
}

const realFolder = (folder: string): string | undefined => {
  try {
    const real = realpathSync(folder)
    return lstatSync(real).isDirectory() ? real : undefined
  } catch {
    return undefined
  }
}

const idOf = (path: string): string => digest(path).slice(0, 12)

const versionOf = (text: string): string => digest(text).slice(0, 16)

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
