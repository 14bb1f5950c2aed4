import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { startCommand } from '../../scenarios/cli/commands/start.ts'
import { blocksOf } from '../support/markdown.ts'
import { root } from '../support/running.ts'
import { stagesOf } from './dockerfile.ts'

const execute = promisify(execFile)
const blocks = blocksOf(join(root, 'server/deploy/README.md'))
const block = (language: string) => blocks.find((it) => it.language === language)?.text ?? ''
const [, image = []] = stagesOf(await readFile(join(root, 'Dockerfile'), 'utf8'))
const ofImage = (name: string) => image.find((it) => it.name === name)?.rest ?? ''

/** Parses the arguments of `start` as the command line does. @throws for an unknown option */
const startOptions = ([command, ...args]: readonly string[]) => {
  expect(command).toBe('start')
  const options: object[] = []
  startCommand()
    .action((it) => void options.push(it))
    .parse(args, { from: 'user' })
  return options[0]
}

describe('the manifest for Kubernetes', () => {
  const [claim, deployment, service] = parseAllDocuments(block('yaml')).map((it) => it.toJS())
  const { containers, volumes, securityContext } = deployment.spec.template.spec
  const [container] = containers

  it('starts the image with options that there are', () => {
    expect(startOptions(container.args)).toMatchObject({
      host: '0.0.0.0',
      config: '/config/tenants.yaml',
      journal: '/data/journal.jsonl',
      json: true,
      log: 'json',
    })
  })

  it('runs one process as a user of the image that is a number', () => {
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } })
    expect(securityContext).toMatchObject({ runAsNonRoot: true, fsGroup: 1000 })
    expect(ofImage('USER')).toBe('1000:1000')
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true)
  })

  it('opens, probes and serves the ports of the image', () => {
    const ports = ofImage('EXPOSE').split(' ').map(Number)

    expect(container.ports.map((it: { containerPort: number }) => it.containerPort)).toEqual(ports)
    expect(service.spec.ports.map((it: { port: number }) => it.port)).toEqual(ports)
    for (const probe of [container.readinessProbe, container.livenessProbe]) {
      expect(ports).toContain(probe.httpGet.port)
      expect(probe.httpGet.path).toBe('/healthz')
    }
  })

  it('mounts every volume that it names, and the one of the image', () => {
    const names = volumes.map(({ name }: { name: string }) => name).sort()

    expect(container.volumeMounts.map((it: { name: string }) => it.name).sort()).toEqual(names)
    expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: ofImage('VOLUME') })
    expect(claim.metadata.name).toBe(volumes[0].persistentVolumeClaim.claimName)
  })
})

describe('compose.yaml', () => {
  it('starts the image with options that there are', async () => {
    const { services } = parse(await readFile(join(root, 'compose.yaml'), 'utf8'))

    expect(startOptions(services.lumoauth.command)).toMatchObject({ host: '0.0.0.0', json: true })
    expect(services.lumoauth).toMatchObject({ read_only: true, tmpfs: ['/tmp'] })
  })
})

describe('the unit of systemd', () => {
  const unit = block('ini')

  it('starts the package with options that there are', () => {
    const [, line = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? []
    const [node, cli, ...args] = line.split(' ')

    expect(node).toBe('/usr/bin/node')
    expect(cli).toMatch(/node_modules\/lumoauth-harness\/dist\/cli\/cli\.js$/)
    expect(startOptions(args)).toMatchObject({ journal: '/var/lib/lumoauth-harness/journal.jsonl' })
  })

  it('is one that systemd takes, where systemd is installed', async ({ skip }) => {
    const version = await execute('systemd-analyze', ['--version']).catch(() => undefined)
    if (version === undefined) return skip('systemd-analyze is not on this machine')
    const folder = await mkdtemp(join(tmpdir(), 'lumoauth-unit-'))
    const file = join(folder, 'lumoauth-harness.service')
    await writeFile(file, unit.replaceAll('/usr/bin/node', process.execPath))
    const { stdout, stderr } = await execute('systemd-analyze', ['verify', file])
    await rm(folder, { recursive: true })

    expect(stdout + stderr).not.toMatch(/lumoauth-harness\.service/)
  })
})
