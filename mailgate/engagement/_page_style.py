"""How the page of statistics looks: colours in one place, light and dark, one column on a phone."""

STYLE = """\
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --card: #fff; --ink: #16202c; --soft: #5b6878; --line: #e3e7ec;
  --people: #2f6fde; --unclear: #9db4d6; --machines: #e8a33d;
  --shadow: 0 1px 2px rgba(16, 24, 40, .06), 0 1px 8px rgba(16, 24, 40, .04);
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f141b; --card: #171e27; --ink: #e8edf3; --soft: #93a1b2; --line: #28323f;
    --people: #5b97f5; --unclear: #4b6488; --machines: #c98a2b; --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--bg); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 56px; }
header { margin-bottom: 24px; }
h1 { font-size: 26px; line-height: 1.2; letter-spacing: -.01em; margin: 0 0 4px; font-weight: 650; }
h2 { font-size: 16px; margin: 0 0 2px; font-weight: 620; }
p { margin: 0; }
.soft, .note { color: var(--soft); }
.note { font-size: 13px; margin-bottom: 14px; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(215px, 1fr)); gap: 14px; margin-bottom: 14px; }
.card, section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow);
}
.card { padding: 16px 18px; }
.card .what { color: var(--soft); font-size: 13px; }
.card .value {
  font-size: 31px; line-height: 1.25; font-weight: 640; letter-spacing: -.02em; font-variant-numeric: tabular-nums;
}
.card .value small { font-size: 15px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.card svg { margin: 8px 0 6px; }
.card .detail { font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); column-gap: 14px; }
section { padding: 18px 18px 14px; margin-bottom: 14px; min-width: 0; }

.legend {
  display: flex; flex-wrap: wrap; gap: 6px 18px; margin: 0 0 18px; padding: 0; list-style: none;
  font-size: 13px; color: var(--soft);
}
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; }
.legend b { color: var(--ink); font-weight: 600; }
i.people { background: var(--people); }
i.unclear { background: var(--unclear); }
i.machines { background: var(--machines); }

rect.people { fill: var(--people); }
rect.unclear { fill: var(--unclear); }
rect.machines { fill: var(--machines); }
rect.catch { fill: transparent; }
g:hover rect.catch { fill: var(--ink); fill-opacity: .07; }
.plot { display: flex; }
svg.axis { flex: none; }
svg.columns { display: block; overflow: visible; min-width: 0; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
svg.bar { display: block; border-radius: 3px; background: var(--line); min-width: 60px; }

table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th {
  font-weight: 560; font-size: 12.5px; color: var(--soft); text-align: left; padding: 6px 10px 6px 0;
  border-bottom: 1px solid var(--line); white-space: nowrap;
}
td { padding: 8px 10px 8px 0; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
td:last-child, th:last-child { padding-right: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
td small { color: var(--soft); }
td.name { max-width: 0; width: 40%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
td.chart { width: 26%; min-width: 90px; }
table.one td.name { width: 46%; }
table.one td.chart { width: 42%; }
.none { color: var(--soft); padding: 12px 0; }
footer { color: var(--soft); font-size: 13px; margin-top: 22px; }
footer p { margin-bottom: 6px; max-width: 76ch; }

@media (max-width: 640px) {
  main { padding: 22px 12px 40px; }
  h1 { font-size: 22px; }
  .cards { grid-template-columns: 1fr 1fr; gap: 10px; }
  .card { padding: 13px 14px; }
  .card .value { font-size: 25px; }
  section { padding: 15px 14px 10px; }
  table.wide, table.wide tbody { display: block; }
  table.wide thead { display: none; }
  table.wide tr {
    display: grid; grid-template-columns: 1fr auto; gap: 3px 12px; padding: 9px 0;
    border-bottom: 1px solid var(--line);
  }
  table.wide tr:last-child { border-bottom: 0; }
  table.wide td { padding: 0; border: 0; }
  table.wide td.name { grid-column: 1 / -1; max-width: none; width: auto; }
  table.wide td.chart { width: auto; align-self: center; }
  table.wide td.n::before { content: attr(data-what) " "; color: var(--soft); font-size: 12px; }
}
@media print {
  body { background: #fff; }
  .card, section { box-shadow: none; break-inside: avoid; }
}
"""
