// The console, plain: totals and the latest events, from the public API only.

const fields =
  'id,kind,at,model,served_model,upstream,replica,input_tokens,cached_input_tokens,output_tokens,ttft_ms,wire_hash,status,error_code,edits,warnings'
/** Upstreams may list hundreds of models. */
const mostNames = 8
const refreshMs = 2_000
const keyName = 'incipit-key'

const whole = new Intl.NumberFormat()
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })
const byId = (id) => document.getElementById(id)

byId('key-form').addEventListener('submit', (submitted) => {
  submitted.preventDefault()
  sessionStorage.setItem(keyName, byId('key').value)
  byId('key-form').hidden = true
  void refresh()
})

await refresh()

async function refresh() {
  try {
    const [summary, events, models] = await Promise.all([
      ask('/v1/summary'),
      ask(`/v1/events?limit=50&fields=${fields}`),
      ask('/v1/models'),
    ])
    showTotals(summary)
    showEvents(events.data)
    showState(`serving ${namesOf(models.data)}`, false)
    setTimeout(() => void refresh(), refreshMs)
  } catch (error) {
    if (error.status === 401) return askForKey()
    showState(error.message, true)
    setTimeout(() => void refresh(), refreshMs * 3)
  }
}

function namesOf(models) {
  const names = models.slice(0, mostNames).map((model) => model.id)
  if (models.length > names.length) names.push(`${models.length - names.length} more`)
  return names.join(', ') || 'no model'
}

/** The API's own message is about headers, which a page has no place for. */
function askForKey() {
  const given = sessionStorage.getItem(keyName) !== null
  showState(given ? 'This gateway asks for a key; the one given is not valid.' : 'This gateway asks for a key.', true)
  byId('key-form').hidden = false
}

async function ask(path) {
  const key = sessionStorage.getItem(keyName)
  const answer = await fetch(path, key === null ? {} : { headers: { authorization: `Bearer ${key}` } })
  const body = await answer.json()
  if (!answer.ok)
    throw Object.assign(new Error(body.error?.message ?? `status ${answer.status}`), { status: answer.status })
  return body
}

function showState(text, bad) {
  byId('state').textContent = text
  byId('state').classList.toggle('bad', bad)
}

function showTotals(summary) {
  const totals = [
    ['requests', count(summary.requests)],
    ['input tokens', count(summary.input_tokens)],
    ['cached input tokens', count(summary.cached_input_tokens)],
    ['hit ratio, per token', ratio(summary.hit_ratio_per_token)],
    ['hit ratio, per request', ratio(summary.hit_ratio_per_request)],
    ['output tokens', count(summary.output_tokens)],
    ['failed requests', count(summary.failed_requests)],
  ]
  byId('totals').replaceChildren(
    ...totals.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  )
}

function showEvents(events) {
  byId('no-events').hidden = events.length > 0
  byId('events').replaceChildren(...events.map(eventRow))
}

function eventRow(event) {
  const share =
    event.input_tokens > 0 && event.cached_input_tokens !== null ? event.cached_input_tokens / event.input_tokens : null
  const failed = event.status >= 400
  // An attempt that led to no answer has no usage that could be reported.
  const tokens = event.kind === 'attempt' ? () => '–' : count
  return element(
    'tr',
    {},
    element('td', {}, new Date(event.at).toLocaleTimeString()),
    element(
      'td',
      { class: 'model', title: `${event.model}, served by ${event.served_model ?? 'nothing'}` },
      event.model,
    ),
    element('td', { class: 'wide', title: notesOf(event) }, placeOf(event)),
    element('td', { class: 'number' }, tokens(event.input_tokens)),
    element('td', { class: 'number' }, tokens(event.cached_input_tokens)),
    element('td', {}, ...(event.kind === 'attempt' ? ['–'] : shareBar(share))),
    element('td', { class: 'number wide' }, tokens(event.output_tokens)),
    element('td', { class: 'number wide' }, event.ttft_ms === null ? '–' : whole.format(Math.round(event.ttft_ms))),
    element('td', { class: 'wide' }, element('code', {}, event.wire_hash ?? '–')),
    element('td', failed ? { class: 'bad' } : {}, String(event.status), ...errorCode(failed, event)),
  )
}

/** Where a request went; an attempt that failed is a row of its own. */
function placeOf(event) {
  const place = event.upstream ?? '–'
  return event.kind === 'attempt' ? `${place} (failed attempt)` : place
}

function notesOf(event) {
  return [event.replica, ...event.edits, ...event.warnings].filter((note) => note !== null).join('\n')
}

function errorCode(failed, event) {
  return failed && event.error_code !== null ? [element('div', { class: 'wide code' }, event.error_code)] : []
}

function shareBar(share) {
  if (share === null) return ['not reported']
  const filled = element('span', {})
  filled.style.width = `${share * 100}%`
  return [
    element('span', { class: 'bar', role: 'img', 'aria-label': `${percent.format(share)} cached` }, filled),
    ` ${percent.format(share)}`,
  ]
}

function count(value) {
  return value === null || value === undefined ? 'not reported' : whole.format(value)
}

function ratio(value) {
  return value === null ? 'no tokens yet' : percent.format(value)
}

function element(name, attributes, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}
