import { createHash } from 'node:crypto'
import { Markup, markup } from '../wire/markup.ts'
import type { Answer } from './message.ts'

/** A page of text, links and forms, without scripts and further files. */
export type PlainPage = Readonly<{
  title: string
  body: Markup
  /** The server of the page, such as `mock issuer`. */
  of: string
  status?: number
  headers?: Readonly<Record<string, string>>
  /**
   * Allowed targets of its forms (CSP `form-action`). Browsers also apply them to every redirect after
   * the form, and where a client's callback redirects to is unknown. Default: none.
   */
  formTargets?: "'self'" | "'none'" | 'anywhere'
}>

/**
 * A page with the look of the approvals page, marked as a mock. It contains its style sheet, so it
 * needs no other file, and its content security policy allows only that style sheet.
 */
export const plainPage = ({
  title,
  body,
  of,
  status = 200,
  headers = {},
  formTargets = "'none'",
}: PlainPage): Answer & Readonly<{ body: string }> => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; ${formTargets === 'anywhere' ? '' : `form-action ${formTargets}; `}frame-ancestors 'none'; base-uri 'none'`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    ...headers,
  },
  body: markup`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${new Markup(style)}</style></head>
<body><header>${mark}<strong>lumoauth-harness</strong><span class="mock">${of}, for tests only</span></header>
<main>
${body}
</main></body>
</html>
`.text,
})

/** `page/mark.svg`, for pages that must not load other files. */
const mark = new Markup(
  '<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><rect width="24" height="24" rx="6" fill="#4657d8"/>' +
    '<path d="M6.5 12.5l3.6 3.6 7.4-8" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>',
)

/** Colours and shapes of `console/page/page.css`. */
const style = [
  ':root{color-scheme:light dark;--ground:#f4f5f8;--surface:#fff;--sunk:#f0f2f6;--line:#d9dee6;--strong:#8a94a3;--text:#17202b;--muted:#566273;--accent:#3a4bc8;--good:#17713c;--on-good:#fff;--bad:#ad1f2d;--warn:#7a5200;--warn-soft:#fdf1d3}',
  '@media(prefers-color-scheme:dark){:root{--ground:#0e1218;--surface:#161c24;--sunk:#0f141b;--line:#2a333f;--strong:#667487;--text:#e6ebf2;--muted:#9ba8b8;--accent:#9dadff;--good:#6ad798;--on-good:#05220f;--bad:#ff8f94;--warn:#efc25c;--warn-soft:#33280f}}',
  '*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--text);font:.9375rem/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}',
  'header{display:flex;flex-wrap:wrap;align-items:center;gap:4px 10px;padding:14px 20px;background:var(--surface);border-block-end:1px solid var(--line)}',
  '.mock{padding:1px 10px;border-radius:99px;background:var(--warn-soft);color:var(--warn);font-size:.8125rem;font-weight:600}',
  'main{max-inline-size:40rem;margin:32px auto;padding:24px;background:var(--surface);border:1px solid var(--line);border-radius:14px}',
  'h1{margin:0 0 8px;font-size:1.375rem;line-height:1.3}h2{margin:20px 0 4px;font-size:1.0625rem}p{margin:8px 0}ul{padding-inline-start:20px}',
  'small,.muted{color:var(--muted);font-size:.875rem}a{color:var(--accent);text-underline-offset:.2em}a,button,input{outline-offset:2px}:focus-visible{outline:3px solid var(--accent);border-radius:6px}',
  'code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.875em}pre{max-block-size:16rem;overflow:auto;padding:10px 12px;border-radius:8px;background:var(--sunk);white-space:pre-wrap}',
  'fieldset{margin:16px 0 0;padding:8px 16px;border:1px solid var(--line);border-radius:10px}legend{padding-inline:6px;font-weight:600}fieldset p{margin:4px 0}',
  'button{min-block-size:42px;min-inline-size:130px;margin:4px 8px 0 0;padding:5px 18px;border:1px solid var(--bad);border-radius:8px;background:var(--surface);color:var(--bad);font:inherit;font-weight:550;cursor:pointer}button[value=allow]{border-color:var(--good);background:var(--good);color:var(--on-good)}',
  'table{inline-size:100%;border-collapse:collapse}td,th{padding:8px 12px 8px 0;border-block-start:1px solid var(--line);text-align:start;font-weight:400}',
  '@media(max-width:700px){main{margin:0;border-width:0 0 1px;border-radius:0}}',
].join('')

const styleHash = createHash('sha256').update(style).digest('base64')
