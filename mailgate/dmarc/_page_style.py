"""The style sheet of the page. Colours are Okabe and Ito's, which all kinds of colour sight tell apart; patterns say
the same again for a printout or no colour sight at all.
"""

STYLE = """
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --track: #e7ebef;
  --pass: #0072b2; --dkim: #56b4e9; --spf: #e69f00; --fail: #c44e00; --mark: #ffffff;
  --good: #0b6b4f; --wait: #8a5a00; --bad: #a83a00; --good-bg: #e3f4ee; --wait-bg: #fdf3dc; --bad-bg: #fdebe1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f1318; --card: #181d24; --ink: #e8ecf1; --soft: #9aa7b5; --line: #2c343e; --track: #262e37;
    --pass: #3d9bd6; --dkim: #8fd0f5; --spf: #f0b73e; --fail: #f0783c; --mark: #10151b;
    --good: #5fd3ae; --wait: #f0c05a; --bad: #ff9a66; --good-bg: #12302a; --wait-bg: #33290f; --bad-bg: #3a1f12;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
main, header.top, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header.top { padding-top: 28px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 1.35rem; margin: 36px 0 12px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0 0 12px; }
p { margin: 0 0 8px; }
.soft { color: var(--soft); }
.small { font-size: 0.875rem; }
a { color: var(--pass); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 8px; padding: 0; margin: 16px 0 0; }
nav li { max-width: 100%; }
nav a { overflow-wrap: anywhere; }
nav a { display: block; padding: 4px 12px; border: 1px solid var(--line); border-radius: 999px; background: var(--card);
  text-decoration: none; color: var(--ink); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px;
  margin: 0 0 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(142px, 1fr)); gap: 12px; margin: 0 0 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 16px; }
.tile dt { color: var(--soft); font-size: 0.8125rem; }
.tile dd { margin: 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.tile dd small { display: block; font-size: 0.8125rem; font-weight: 400; color: var(--soft); }
dl { margin: 0; }
.answer { border-left: 6px solid var(--tone); background: var(--tone-bg); }
.answer.good { --tone: var(--good); --tone-bg: var(--good-bg); }
.answer.wait { --tone: var(--wait); --tone-bg: var(--wait-bg); }
.answer.bad { --tone: var(--bad); --tone-bg: var(--bad-bg); }
.answer h3 { font-size: 1.25rem; margin: 0 0 4px; color: var(--tone); }
.answer ul { margin: 8px 0 0; padding: 0; list-style: none; }
.answer li { margin: 6px 0 0; padding-left: 26px; position: relative; overflow-wrap: anywhere; }
.answer li > .sign { position: absolute; left: 0; width: 20px; text-align: center; font-weight: 700; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 18px; padding: 0; margin: 0 0 12px; list-style: none;
  font-size: 0.875rem; }
.legend svg { width: 18px; height: 14px; vertical-align: -2px; margin-right: 6px; border-radius: 3px; }
.chart { display: grid; grid-template-columns: auto 1fr; column-gap: 8px; }
.chart .y { position: relative; min-width: 34px; font-size: 0.75rem; color: var(--soft);
  font-variant-numeric: tabular-nums; text-align: right; }
.chart .y span { position: absolute; right: 0; transform: translateY(-50%); white-space: nowrap; }
.chart .y b { visibility: hidden; font-weight: 400; white-space: nowrap; }
.chart svg { display: block; width: 100%; overflow: visible; }
.chart .x { grid-column: 2; position: relative; height: 22px; font-size: 0.75rem; color: var(--soft); }
.chart .x span { position: absolute; top: 4px; transform: translateX(-50%); white-space: nowrap; }
.chart .x span:first-child { transform: none; }
.chart .x span[style="left:100.00%"] { transform: translateX(-100%); }
.grid { stroke: var(--line); stroke-width: 1; }
.bar { display: block; width: 100%; min-width: 76px; height: 10px; border-radius: 5px; overflow: hidden;
  background: var(--track); margin-top: 3px; }
td.n .bar { max-width: 96px; margin-left: auto; }
.split { height: 26px; border-radius: 6px; display: block; width: 100%; background: var(--track); }
.p-pass { fill: var(--pass); } .p-dkim { fill: var(--dkim); }
.p-spf { fill: var(--spf); } .p-fail { fill: var(--fail); }
.m { stroke: var(--mark); fill: none; opacity: 0.65; } .md { fill: var(--mark); opacity: 0.7; }
.day:hover rect { opacity: 0.8; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
caption { text-align: left; font-weight: 600; padding: 0 0 8px; }
th, td { text-align: left; padding: 7px 10px 7px 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 0.8125rem; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.wrap, td.ip { overflow-wrap: break-word; }
td.day b { white-space: nowrap; display: inline-block; font-weight: 400; }
td.ip { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.85rem; min-width: 9.5em; }
td.ip small { display: block; font-family: system-ui, sans-serif; color: var(--soft); }
.badge { display: inline-block; border-radius: 999px; padding: 0 10px; font-size: 0.8125rem; white-space: nowrap;
  border: 1px solid currentcolor; }
.badge.pass { color: var(--pass); } .badge.forwarded_like { color: var(--soft); }
.badge.misaligned { color: var(--wait); } .badge.unauthenticated { color: var(--bad); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
.columns .card { margin: 0; min-width: 0; }
.columns { margin-bottom: 16px; }
details { margin: 12px 0 0; }
summary { cursor: pointer; color: var(--soft); font-size: 0.875rem; }
details table { margin-top: 8px; }
.scroll { overflow-x: auto; }
footer { padding-bottom: 40px; }
@media (max-width: 700px) {
  main, header.top, footer { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 1.4rem; }
  .card { padding: 14px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; }
  .tile { padding: 10px 12px; } .tile dd { font-size: 1.25rem; }
  .chart .x span.minor { display: none; }
  table.cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.cards tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 28px; padding: 12px 0;
    border-top: 1px solid var(--line); }
  table.cards td { display: flex; justify-content: space-between; gap: 12px; border: 0; padding: 2px 0;
    text-align: right; grid-column: 1 / -1; }
  table.cards td.half { grid-column: auto; }
  table.cards td::before { content: attr(data-label); color: var(--soft); text-align: left; flex: none; }
  table.cards td.ip { font-size: 1rem; font-weight: 600; text-align: left; display: block; }
  table.cards td.ip::before { content: none; }
  table.cards td.graph span { display: flex; align-items: center; gap: 10px; }
  table.cards td.graph .bar { width: 96px; margin: 0; }
  table.cards td.wrap { overflow-wrap: anywhere; }
}
@media print {
  body { background: #fff; } .card, .tile { break-inside: avoid; }
  details > * { display: block; }
}
"""
