/** The style of the report; its hash is in the Content-Security-Policy. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --surface: #fff; --sunk: #f0f2f6; --line: #d9dee6; --text: #17202b; --muted: #566273;
  --accent: #3a4bc8; --accent-soft: #e9ecfd; --good: #17713c; --good-soft: #e2f4e8; --warn: #7a5200;
  --warn-soft: #fdf1d3; --bad: #ad1f2d; --bad-soft: #fce7e8;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1218; --surface: #161c24; --sunk: #0f141b; --line: #2a333f; --text: #e6ebf2; --muted: #9ba8b8;
    --accent: #9dadff; --accent-soft: #222b4d; --good: #6ad798; --good-soft: #12301f; --warn: #efc25c;
    --warn-soft: #33280f; --bad: #ff8f94; --bad-soft: #3b1a1e;
  }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 5rem; }
body { margin: 0; background: var(--ground); color: var(--text); font: 0.9375rem/1.5 system-ui, "Segoe UI", sans-serif; }
main, .top > * { max-width: 68rem; margin-inline: auto; padding-inline: 1.25rem; }
main { padding-bottom: 4rem; }
a { color: var(--accent); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; letter-spacing: -0.015em; }
h2 { font-size: 1.125rem; margin: 2.5rem 0 0.75rem; }
h3 { font-size: 0.8125rem; margin: 1.5rem 0 0.5rem; color: var(--muted); text-transform: uppercase; letter-spacing: 0.05em; }
h4 { font-size: 0.875rem; margin: 1rem 0 0.4rem; }
p { margin: 0.25rem 0; }
code, pre, .mono { font-family: var(--mono); font-size: 0.8125rem; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--sunk); border-radius: 6px; padding: 0.5rem 0.75rem; max-height: 26rem; overflow: auto; }
.muted { color: var(--muted); }
.top { background: var(--surface); border-bottom: 1px solid var(--line); padding-block: 1.75rem 1.25rem; }
.top p { color: var(--muted); margin-top: 0.4rem; }
.bar { display: flex; height: 8px; border-radius: 4px; overflow: hidden; margin-top: 1rem; background: var(--line); }
.bar svg { width: 100%; height: 8px; display: block; }
.bar .passed { fill: var(--good); } .bar .failed { fill: var(--bad); } .bar .skipped { fill: var(--warn); }
.tools { position: sticky; top: 0; z-index: 2; background: var(--ground); border-bottom: 1px solid var(--line); }
.tools > div { max-width: 68rem; margin-inline: auto; padding: 0.6rem 1.25rem; display: flex; gap: 0.6rem 1rem; align-items: center; flex-wrap: wrap; }
.tools input { flex: 1 1 14rem; min-width: 0; font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 0.4rem 0.75rem; }
.tools button { font: inherit; font-size: 0.8125rem; color: var(--muted); background: none; border: 1px solid transparent; border-radius: 999px; padding: 0.25rem 0.75rem; cursor: pointer; }
.tools button[aria-pressed=true] { color: var(--accent); background: var(--accent-soft); }
.tools .filter { flex: 1 1 24rem; display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; }
.tools nav { display: flex; gap: 1rem; font-size: 0.875rem; }
.tools nav a { text-decoration: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.top ul { margin: 0.9rem 0 0; padding: 0; list-style: none; display: grid; gap: 0.15rem; }
.top li::before { content: "✗"; color: var(--bad); font-weight: 700; margin-right: 0.5rem; }
.theme { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.theme + h3 { margin-top: 1.75rem; }
.scenario { border-top: 1px solid var(--line); content-visibility: auto; contain-intrinsic-size: auto 2.6rem; }
.scenario:first-child { border-top: 0; }
.scenario > summary { display: grid; grid-template-columns: 1.25rem 1fr auto; gap: 0.6rem; align-items: baseline; padding: 0.5rem 1rem; cursor: pointer; list-style: none; }
.scenario > summary::-webkit-details-marker { display: none; }
.scenario > summary:hover { background: var(--sunk); }
.scenario[open] > summary { font-weight: 600; }
.mark { font-weight: 700; text-align: center; }
.passed > summary .mark, .is-passed .mark { color: var(--good); }
.failed > summary .mark, .is-failed .mark { color: var(--bad); }
.skipped > summary .mark, .is-skipped .mark { color: var(--warn); }
.time { color: var(--muted); font-size: 0.8125rem; font-weight: 400; white-space: nowrap; font-variant-numeric: tabular-nums; }
.tag { font-size: 0.75rem; font-weight: 400; color: var(--muted); border: 1px solid var(--line); border-radius: 4px; padding: 0 0.35rem; margin-left: 0.4rem; white-space: nowrap; }
.why { color: var(--warn); font-weight: 400; }
.inside { padding: 0.25rem 1rem 1.5rem; }
.chips { display: flex; flex-wrap: wrap; gap: 0.3rem; margin: 0.5rem 0 0; padding: 0; list-style: none; }
.chips a { font: 0.75rem var(--mono); text-decoration: none; color: var(--muted); border: 1px solid var(--line); border-radius: 4px; padding: 0.1rem 0.4rem; display: inline-block; }
.chips a:hover { color: var(--accent); border-color: var(--accent); }
.failure { border: 1px solid var(--bad); border-radius: 8px; margin: 1rem 0; overflow: hidden; }
.failure > p { background: var(--bad-soft); padding: 0.5rem 0.75rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.failure > div { padding: 0.6rem 0.75rem; display: grid; gap: 0.6rem; }
.failure pre { white-space: pre; overflow-wrap: normal; }
.failure mark { background: var(--bad-soft); color: var(--bad); font-weight: 700; }
.failure table { width: 100%; }
table { border-collapse: collapse; font-size: 0.8125rem; }
th { text-align: left; color: var(--muted); font-weight: 500; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; }
td.wide { width: 45%; overflow-wrap: anywhere; }
.want { color: var(--good); } .got { color: var(--bad); }
.scroll { overflow-x: auto; }
.diagram { display: block; width: 100%; min-width: 36rem; max-width: 50rem; margin: 0.5rem auto 0; font: 11.5px var(--mono); }
.diagram .lane { stroke: var(--line); stroke-width: 1.5; }
.diagram rect.head { fill: var(--accent-soft); } .diagram text.head { fill: var(--accent); font: 600 12.5px system-ui, sans-serif; stroke: none; }
.diagram text { text-anchor: middle; fill: var(--text); paint-order: stroke; stroke: var(--surface); stroke-width: 5px; stroke-linejoin: round; }
.diagram text.step { text-anchor: start; fill: var(--muted); }
.diagram use { stroke: var(--muted); stroke-width: 1.25; fill: none; }
.shapes { position: absolute; }
.diagram .jit { fill: var(--accent); }
.diagram .good .say { fill: var(--good); } .diagram .refused .say { fill: var(--warn); } .diagram .broken .say { fill: var(--bad); }
.diagram rect.note { fill: var(--sunk); stroke: var(--line); } .diagram text.note, .diagram .more { fill: var(--muted); stroke: none; }
.diagram .culprit .ask { font-weight: 700; fill: var(--bad); } .diagram .culprit use { stroke: var(--bad); }
.diagram a { text-decoration: none; } .diagram a:hover .ask { fill: var(--accent); text-decoration: underline; }
.tree { list-style: none; margin: 0; padding: 0; }
.tree .tree { margin-left: 0.5rem; padding-left: 1rem; border-left: 2px solid var(--line); }
.tree > li { margin-top: 0.5rem; }
.token > summary { cursor: pointer; font-size: 0.8125rem; }
.token .name { font: 600 0.8125rem var(--mono); color: var(--accent); }
.life { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; font-size: 0.8125rem; color: var(--muted); margin: 0.15rem 0 0 1.1rem; }
.life a { color: inherit; }
.life .no { color: var(--warn); }
.exchange { border: 1px solid var(--line); border-radius: 8px; margin-top: 0.4rem; }
.exchange > summary { display: flex; gap: 0.3rem 0.75rem; align-items: baseline; padding: 0.3rem 0.75rem; cursor: pointer; font: 0.8125rem var(--mono); }
.exchange > summary .path { flex: 1; overflow-wrap: anywhere; }
.exchange > div { padding: 0.25rem 0.75rem 0.75rem; display: grid; gap: 0.5rem; }
.exchange:target { border-color: var(--accent); }
.exchange.culprit { border-color: var(--bad); }
.good b { color: var(--good); } .refused b { color: var(--warn); } .broken b { color: var(--bad); }
.step-head { margin: 0.9rem 0 0; font-size: 0.8125rem; color: var(--muted); }
.step-head b { color: var(--text); font-family: var(--mono); font-weight: 600; }
.fields { margin: 0; font: 0.75rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.exchange i { font-style: normal; font-size: 0.75rem; color: var(--muted); }
.exchange hr { width: 100%; margin: 0; border: 0; border-top: 1px dashed var(--line); }
.rules { display: grid; gap: 0.15rem 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.rule { border-bottom: 1px solid var(--line); padding: 0.3rem 0; font-size: 0.875rem; display: grid; grid-template-columns: 1.25rem 1fr; gap: 0 0.5rem; }
.rule b { font: 600 0.8125rem var(--mono); }
.rule .more { font-size: 0.8125rem; color: var(--muted); }
.rule:target { background: var(--accent-soft); }
.is-uncovered .mark { color: var(--warn); } .is-excluded, .is-excluded .mark { color: var(--muted); }
.cells { display: flex; flex-wrap: wrap; gap: 3px; }
.cells a { width: 13px; height: 13px; border-radius: 3px; background: var(--line); display: block; }
.cells .is-passed { background: var(--good); } .cells .is-failed { background: var(--bad); } .cells .is-skipped { background: var(--warn); }
.cells .is-uncovered { background: none; border: 2px solid var(--warn); } .cells .is-excluded { background: none; border: 1px solid var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; font-size: 0.8125rem; color: var(--muted); margin: 0.5rem 0; }
.legend span { display: inline-flex; gap: 0.35rem; align-items: center; }
.legend i { width: 11px; height: 11px; border-radius: 3px; background: var(--line); display: block; }
.legend .is-passed { background: var(--good); } .legend .is-failed { background: var(--bad); }
.legend .is-uncovered { background: none; border: 2px solid var(--warn); } .legend .is-excluded { background: none; border: 1px solid var(--muted); }
.family { display: grid; grid-template-columns: 18rem 1fr; gap: 0.75rem; padding: 0.2rem 0; align-items: center; }
.family b { font: 600 0.8125rem var(--mono); } .family span { font-size: 0.8125rem; color: var(--muted); }
.slowest td:first-child { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.panel { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; }
.none { padding: 2rem; text-align: center; color: var(--muted); }
@media (max-width: 40rem) {
  h1 { font-size: 1.375rem; }
  .scenario > summary { padding: 0.5rem 0.75rem; }
  .inside { padding-inline: 0.75rem; }
  .family { grid-template-columns: minmax(0, 1fr); gap: 0.2rem; }
  .tools { position: static; }
  .tools input { flex-basis: 100%; }
  td.wide { width: auto; }
}
summary { overflow-wrap: anywhere; }
@media print { .tools { display: none; } }
`
