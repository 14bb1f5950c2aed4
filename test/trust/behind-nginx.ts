import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../support/free-ports.ts'
import { blocksOf } from '../support/markdown.ts'
import { Running, root } from '../support/running.ts'

/** nginx with the configuration of a page, on other ports. */
export class BehindNginx implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nginx-'))
  readonly #ports: ReadonlyMap<string, number>
  readonly #text: string
  #nginx: Running | undefined

  /** @param page the README with the one block of nginx */
  static async of(page: string): Promise<BehindNginx> {
    const [block] = blocksOf(join(root, page)).filter((it) => it.language === 'nginx')
    const text = block?.text ?? ''
    const written = [...new Set(text.match(/\b44\d\d\b/g))]
    const free = await freePorts(written.length)
    return new BehindNginx(text, new Map(written.map((it, at) => [it, free[at] ?? 0])))
  }

  private constructor(text: string, ports: ReadonlyMap<string, number>) {
    this.#ports = ports
    this.#text = text.replace(/\b44\d\d\b/g, (it) => `${this.port(it)}`)
    writeFileSync(join(this.folder, 'nginx.conf'), surroundings(this.folder))
  }

  /** The port used here for a port of the page. */
  port(written: string): number {
    return this.#ports.get(written) ?? 0
  }

  origin(written: string): string {
    return `http://127.0.0.1:${this.port(written)}`
  }

  /** Starts nginx, or restarts it with another configuration. */
  async start(rewrite: (text: string) => string = (text) => text): Promise<void> {
    await this.#nginx?.[Symbol.asyncDispose]()
    writeFileSync(join(this.folder, 'lumoauth-harness.conf'), rewrite(this.#text))
    this.#nginx = new Running('nginx', ['-p', this.folder, '-c', join(this.folder, 'nginx.conf')], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    })
    // It prints this line once its sockets are open.
    await this.#nginx.prints('stderr', /using the "epoll" event method/)
  }

  /** The processes that requests of each tenant were sent to, by their index, from nginx's log. */
  led(): Map<string, Set<number | undefined>> {
    const indexOf = new Map(
      [0, 1, 2].flatMap((index) =>
        ['0', '1'].map((seat) => [`127.0.0.1:${this.port(`44${index + 1}${seat}`)}`, index]),
      ),
    )
    const tenants = new Map<string, Set<number | undefined>>()
    for (const line of readFileSync(join(this.folder, 'led'), 'utf8').trim().split('\n')) {
      const [tenant = '', address = ''] = line.split(' ')
      if (!/^[a-z0-9-]{2,}$/.test(tenant)) continue
      tenants.set(tenant, (tenants.get(tenant) ?? new Set()).add(indexOf.get(address)))
    }
    return tenants
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nginx?.[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true })
  }
}

/** The /etc/nginx/nginx.conf of a machine, for one process without root. */
const surroundings = (folder: string) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr notice;
events {}
http {
  log_format led '$tenant $upstream_addr $status';
  access_log ${folder}/led led;
  ${['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi']
    .map((it) => `${it}_temp_path ${folder}/${it};`)
    .join('\n  ')}
  include ${folder}/lumoauth-harness.conf;
}
`
