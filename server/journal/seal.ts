import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { JournalError } from './error.ts'

/** The environment variable with the key that encrypts keys and secrets. */
export const storeKeyName = 'LUMOAUTH_STORE_KEY'

/** Encrypts and decrypts keys and secrets. `name` is their owner. */
export type Seal = Readonly<{
  close: (text: string, name: string) => string
  /** @throws {JournalError} for text that was encrypted with another key, or for another name */
  open: (text: string, name: string) => string
}>

const prefix = 'aes-256-gcm:'
const [ivBytes, tagBytes] = [12, 16]

/**
 * AES-256-GCM with a key of 32 bytes, in hex or base64. Without a key, texts are not encrypted.
 * @throws {JournalError} for a key of another length
 */
export const sealWith = (key: string | undefined): Seal => (key ? encrypting(parseKey(key)) : plain)

const plain: Seal = {
  close: (text) => text,
  open: (text) => {
    if (!text.startsWith(prefix)) return text
    throw new JournalError(
      `the keys in this database are encrypted; set ${storeKeyName} to the key that it was begun with`,
    )
  },
}

const encrypting = (key: Buffer): Seal => ({
  close: (text, name) => {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name))
    const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return prefix + Buffer.concat([iv, cipher.getAuthTag(), encrypted]).toString('base64')
  },
  open: (text, name) => {
    if (!text.startsWith(prefix)) {
      throw new JournalError(
        `the keys in this database are not encrypted; unset ${storeKeyName}, or begin with an empty database`,
      )
    }
    const bytes = Buffer.from(text.slice(prefix.length), 'base64')
    const iv = bytes.subarray(0, ivBytes)
    const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name))
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
    try {
      const rest = bytes.subarray(ivBytes + tagBytes)
      return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8')
    } catch {
      throw new JournalError(
        `${storeKeyName} is not the key that the keys in this database were encrypted under`,
      )
    }
  },
})

const parseKey = (text: string): Buffer => {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (key.length === 32) return key
  throw new JournalError(
    `${storeKeyName}: expected 32 bytes as hex or base64, as "openssl rand -base64 32" prints them; received ${key.length} bytes`,
  )
}
