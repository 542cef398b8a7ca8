// The console. All that comes from the server is put in as text: names of models are their owners' choice.

const PAGE = 50;
const KEPT_EVENTS = 1000;
const SHOWN_EVENTS = 200;
const LEAST_PAUSE_MS = 2000;
const KEY = 'cluster-key';
const $ = id => document.getElementById(id);

const state = { cluster: null, rows: [], page: 0, sort: { column: 0, down: false }, events: [], model: null, shownModel: null, placed: null };

/** An element; strings among its children become text. */
function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-')) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

// ---- numbers for people ----

const known = value => value !== null && value !== undefined;

function bytes(value) {
  if (!known(value)) return '';
  if (value > 2 ** 60) return 'unlimited';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function ago(seconds) {
  if (!known(seconds)) return '';
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

const ms = value => known(value) ? `${value < 10 ? value.toFixed(2) : Math.round(value)} ms` : '';
const rate = value => known(value) ? `${value < 10 ? value.toFixed(1) : Math.round(value)}/s` : '';
const sum = (items, of) => items.reduce((total, item) => total + (of(item) ?? 0), 0);
const most = (items, of) => items.map(of).filter(known).reduce((largest, value) => !known(largest) || value > largest ? value : largest, null);
const siloName = address => state.cluster?.nodes.find(node => node.silo === address)?.name || address;

// ---- asking the gateway ----

const headers = more => {
  const key = sessionStorage.getItem(KEY);
  return key ? { ...more, Authorization: `Bearer ${key}` } : { ...more };
};

/** The gateway said no: asking the same again soon would not help. */
class Refused extends Error {
  constructor(text, status) {
    super(text);
    this.isFinal = status === 401 || status === 403;
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers(options.headers), cache: 'no-store', credentials: 'same-origin' });
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  const text = body.error || `the gateway answered ${response.status}`;
  if (response.status === 401) showSignIn(sessionStorage.getItem(KEY) ? text : 'This gateway asks who you are.');
  throw new Refused(text, response.status);
}

const path = (...parts) => '/v2/' + parts.map(encodeURIComponent).join('/');

function showSignIn(why) {
  setText($('sign-in-why'), why);
  $('sign-in').hidden = false;
  document.querySelector('main').hidden = true;
}

function showTrouble(text) {
  setText($('trouble'), text);
  $('trouble').hidden = !text;
}

$('sign-in').addEventListener('submit', event => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $('key').value.trim());
  $('key').value = '';
  restart();
});

$('sign-out').addEventListener('click', () => {
  sessionStorage.removeItem(KEY);
  location.reload();
});

// ---- tables that keep their rows, so that a refresh moves neither focus nor selection ----

class Table {
  constructor(table, columns, onSort) {
    this.columns = columns;
    this.rows = new Map();
    this.heads = columns.map((column, index) => {
      const cell = el('th', { scope: 'col', className: column.number ? 'number' : '' });
      cell.append(onSort ? el('button', { type: 'button', onclick: () => onSort(index) }, column.title) : column.title);
      return cell;
    });
    this.body = el('tbody');
    table.replaceChildren(el('thead', {}, el('tr', {}, ...this.heads)), this.body);
  }

  mark(sort) {
    this.heads.forEach((head, index) => {
      if (index === sort.column) head.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
  }

  render(items, keyOf) {
    const rows = new Map();
    for (const item of items) {
      const key = keyOf(item);
      const row = this.rows.get(key) ?? this.make(item);
      this.columns.forEach((column, index) => this.fill(row.cells[index], column, item));
      rows.set(key, row);
    }
    this.rows = rows;
    const wanted = [...rows.values()];
    if (wanted.length !== this.body.children.length || wanted.some((row, index) => this.body.children[index] !== row)) {
      this.body.replaceChildren(...wanted);
    }
  }

  make(item) {
    const cells = this.columns.map(column => {
      const cell = el('td', { className: column.number ? 'number' : '', 'data-title': column.title });
      if (column.link) cell.append(el('a', { href: column.link(item) }));
      if (column.bar) cell.append(el('progress', { max: 1, 'aria-label': column.title }), ' ', el('span'));
      return cell;
    });
    return el('tr', {}, ...cells);
  }

  fill(cell, column, item) {
    const text = column.text(item);
    setText(cell.querySelector('a, span') ?? cell, text);
    cell.classList.toggle('empty', !text);
    if (column.bar) cell.firstChild.value = column.bar(item);
    for (const level of ['good', 'warn', 'bad']) cell.classList.toggle(level, column.level?.(item) === level);
  }
}

// ---- models ----

const trouble = row => row.version.failed || /^(serves its previous content|runs on the CPU provider)/.test(row.version.reason) ? row.version.reason
  : row.version.failed_on?.length ? `failed on ${row.version.failed_on.map(siloName).join(', ')}` : row.model.problem ?? '';

const serving = row => row.copies.filter(copy => copy.state === 'SERVING');
const onDemand = row => row.copies.some(copy => copy.state === 'ON_DEMAND');
const used = row => [row.version.last_used_seconds, ...row.copies.map(copy => copy.idle_seconds)].filter(known).reduce((least, value) => Math.min(least, value), Infinity);
const usedText = row => Number.isFinite(used(row)) ? ago(used(row)) : '';

const level = row => row.version.failed || row.model.problem ? 'bad' : row.version.state === 'READY' ? 'good' : row.version.state === 'LOADING' ? 'warn' : '';
const replicas = row => row.version.state ? `${serving(row).length}${known(row.version.desired_copies) ? ` of ${row.version.desired_copies}` : ''}` : '';

const columns = [
  { title: 'Model', text: row => row.model.name, sort: row => row.model.name, link: row => '#model/' + encodeURIComponent(row.model.name) },
  { title: 'Version', text: row => known(row.version.version) ? String(row.version.version) : '', sort: row => row.version.version ?? 0, number: true },
  { title: 'State', text: row => onDemand(row) ? 'on demand' : (row.version.state ?? 'problem').toLowerCase(), sort: row => row.version.state ?? '', level },
  { title: 'Replicas', text: replicas, sort: row => serving(row).length, number: true },
  { title: 'Last use', text: usedText, sort: row => -used(row), number: true },
  { title: 'Measured', text: row => bytes(serving(row).length ? sum(serving(row), copy => copy.bytes) : null), sort: row => sum(serving(row), copy => copy.bytes), number: true },
  { title: 'Declared', text: row => bytes(row.version.declared_bytes), sort: row => row.version.declared_bytes ?? 0, number: true },
  { title: 'Rate', text: row => serving(row).length ? rate(sum(serving(row), copy => copy.requests_per_second)) : '', sort: row => sum(serving(row), copy => copy.requests_per_second), number: true },
  { title: 'p50 / p99', text: row => known(most(row.copies, copy => copy.run_p50_ms)) ? `${ms(most(row.copies, copy => copy.run_p50_ms))} / ${ms(most(row.copies, copy => copy.run_p99_ms))}` : '', sort: row => most(row.copies, copy => copy.run_p99_ms) ?? 0, number: true },
  { title: 'Queue', text: row => serving(row).length ? String(sum(serving(row), copy => copy.waiting)) : '', sort: row => sum(serving(row), copy => copy.waiting), number: true },
  { title: 'Trouble', text: trouble, sort: trouble, level: row => trouble(row) ? 'bad' : '' },
];

const modelsTable = new Table($('models-table'), columns, column => {
  state.sort = { column, down: state.sort.column === column ? !state.sort.down : false };
  state.page = 0;
  showModels();
});

function found() {
  const search = $('search').value.trim().toLowerCase();
  const rows = search
    ? state.rows.filter(row => row.model.name.toLowerCase().includes(search) || columns[2].text(row).includes(search) || (row.version.reason ?? '').toLowerCase().includes(search))
    : state.rows.slice();
  const of = columns[state.sort.column].sort;
  const keyed = rows.map(row => [of(row), row]);
  keyed.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return (state.sort.down ? keyed.reverse() : keyed).map(([, row]) => row);
}

function showModels() {
  const rows = found();
  state.page = Math.max(0, Math.min(state.page, Math.ceil(rows.length / PAGE) - 1));
  const first = state.page * PAGE;
  const shown = rows.slice(first, first + PAGE);
  modelsTable.mark(state.sort);
  modelsTable.render(shown, row => `${row.version.version}/${row.model.name}`);
  setText($('range'), rows.length ? `${first + 1}–${first + shown.length} of ${rows.length}` : 'none');
  $('previous').disabled = state.page === 0;
  $('next').disabled = first + PAGE >= rows.length;
}

$('search').addEventListener('input', () => {
  state.page = 0;
  showModels();
});
for (const [id, step] of [['previous', -1], ['next', 1]]) {
  $(id).addEventListener('click', () => {
    state.page += step;
    showModels();
  });
}

// ---- silos ----

const silosTable = new Table($('silos-table'), [
  { title: 'Silo', text: node => node.name || node.silo },
  { title: 'Address', text: node => node.silo },
  { title: 'Status', text: node => node.draining ? `${node.status}, drains` : node.disagrees ? `${node.status}, other repository` : node.status, level: node => node.status === 'Dead' ? 'bad' : node.draining || node.disagrees || node.status !== 'Active' ? 'warn' : 'good' },
  { title: 'Models', text: node => node.capacity_bytes ? `${bytes(node.used_bytes)} of ${bytes(node.capacity_bytes)}` : '', bar: node => node.capacity_bytes ? node.used_bytes / node.capacity_bytes : 0 },
  { title: 'Tensors', text: node => node.tensor_memory_limit_bytes ? `${bytes(node.tensor_memory_bytes)} of ${bytes(node.tensor_memory_limit_bytes)}` : '', bar: node => node.tensor_memory_limit_bytes ? node.tensor_memory_bytes / node.tensor_memory_limit_bytes : 0 },
  { title: 'Replicas', text: node => String(node.copies), number: true },
  { title: 'Loading', text: node => String(node.loading), number: true },
  { title: 'Requests', text: node => `${Math.round(node.requests_per_minute)}/min`, number: true },
  { title: 'Oldest use', text: node => ago(node.oldest_idle_seconds), number: true },
  { title: 'Labels', text: node => node.labels.join(', ') },
  { title: 'Runtime', text: node => node.runtime },
]);

const showSilos = () => silosTable.render(state.cluster.nodes, node => node.silo);

// ---- aliases ----

const candidate = alias => alias.traffic ? [alias.traffic.rule.candidate ?? 'a model that you may not see', alias.traffic.rule.candidate_version].filter(known).join(' ') : '';
const trafficLevels = { active: 'good', loading: 'warn', load_failed: 'bad', rolled_back: 'bad' };
const trafficText = traffic => !traffic ? ''
  : traffic.rolled_back ? `rolled back ${ago((Date.now() - Date.parse(traffic.rolled_back.time)) / 1000)} by ${traffic.rolled_back.by}: ${traffic.rolled_back.reason}`
  : traffic.failure ? `does not load: ${traffic.failure}` : traffic.state;
const limits = rule => [
  known(rule.max_error_rate) ? `errors ${rule.max_error_rate}` : null,
  known(rule.max_p99_ratio) ? `p99 × ${rule.max_p99_ratio}` : null,
  known(rule.max_mean_ratio) ? `mean × ${rule.max_mean_ratio}` : null,
  known(rule.max_drift) ? `drift ${rule.max_drift}` : null,
].filter(known).join(', ');

const aliasesTable = new Table($('aliases-table'), [
  { title: 'Alias', text: alias => alias.alias },
  { title: 'Model', text: alias => [alias.model ?? '', alias.traffic?.rule.active_version].filter(known).join(' ') },
  { title: 'Moves to', text: alias => alias.target ?? '', level: alias => alias.failure ? 'bad' : 'warn' },
  { title: 'Candidate', text: candidate },
  { title: 'Share', text: alias => alias.traffic ? `${alias.traffic.rule.percent} % ${alias.traffic.rule.shadow ? 'copied' : 'answered'}` : '', number: true },
  { title: 'Sticky by', text: alias => [alias.traffic?.rule.sticky_header, alias.traffic?.rule.sticky_id ? 'id' : null].filter(known).join(', ') },
  { title: 'Limits', text: alias => alias.traffic ? limits(alias.traffic.rule) : '' },
  { title: 'State', text: alias => alias.failure ?? trafficText(alias.traffic), level: alias => alias.failure ? 'bad' : trafficLevels[alias.traffic?.state] },
  { title: 'Owner', text: alias => alias.owner ?? '' },
]);

const showAliases = () => aliasesTable.render(state.cluster.aliases, alias => alias.alias);

// ---- events ----

const levels = { traffic_begun: 'good', rolled_back: 'bad', loaded: 'good', failed_over: 'good', silo_joined: 'good', silo_undrained: 'good', store_back: 'good', silo_died: 'bad', load_failed: 'bad', quarantined: 'bad', lost: 'bad', store_away: 'bad', silo_draining: 'warn', silo_disagrees: 'warn', evicted: 'warn', unavailable: 'warn' };

function eventRow(event) {
  const what = [event.text, event.silo && !event.kind.startsWith('silo_') ? ` · ${siloName(event.silo)}` : ''].join('');
  const subject = event.model
    ? [el('a', { href: '#model/' + encodeURIComponent(event.model) }, `${event.model}${event.version ? ` ${event.version}` : ''}`), ' ']
    : [];
  return el('li', { 'data-kind': event.kind, title: event.time },
    el('time', { dateTime: event.time, className: 'soft' }, new Date(event.time).toLocaleTimeString()),
    el('span', { className: levels[event.kind] ?? '' }, event.kind.replaceAll('_', ' ')),
    el('span', {}, ...subject, what));
}

function showEvents() {
  const search = $('events-search').value.trim().toLowerCase();
  const matching = state.events.filter(event => !search || `${event.kind} ${event.model ?? ''} ${event.silo ?? ''} ${event.text}`.toLowerCase().includes(search));
  $('events-list').replaceChildren(...matching.slice(-SHOWN_EVENTS).reverse().map(eventRow));
}

$('events-search').addEventListener('input', showEvents);

// ---- one model ----

function showModel() {
  const model = state.cluster.models.find(candidate => candidate.name === state.model);
  setText($('model-name'), state.model);
  setText($('model-problem'), model ? model.problem ?? '' : 'There is no such model, or you may not see it.');
  const versions = (model?.versions ?? []).map(version => {
    const row = { model, version, copies: version.copies };
    const table = el('table');
    new Table(table, [
      { title: 'Replica', text: copy => known(copy.copy) ? String(copy.copy) : '–' },
      { title: 'State', text: copy => copy.state.toLowerCase().replace('_', ' '), level: copy => copy.state === 'SERVING' ? 'good' : 'warn' },
      { title: 'Silo', text: copy => copy.silo ? siloName(copy.silo) : '' },
      { title: 'Memory', text: copy => bytes(copy.bytes), number: true },
      { title: 'Idle', text: copy => ago(copy.idle_seconds), number: true },
      { title: 'Rate', text: copy => rate(copy.requests_per_second), number: true },
      { title: 'p50 / p99 of runs', text: copy => known(copy.run_p50_ms) ? `${ms(copy.run_p50_ms)} / ${ms(copy.run_p99_ms)}` : '', number: true },
      { title: 'p99 of waits', text: copy => ms(copy.wait_p99_ms), number: true },
      { title: 'Running', text: copy => known(copy.running) ? `${copy.running} of ${copy.concurrency}` : '', number: true },
      { title: 'Queue', text: copy => known(copy.waiting) ? String(copy.waiting) : '', number: true },
      { title: 'Refused', text: copy => known(copy.rejected) ? String(copy.rejected) : '', number: true },
    ]).render(version.copies, copy => copy);
    return el('div', { className: 'version' },
      el('p', {}, el('strong', {}, `Version ${version.version}: `), el('span', { className: level(row) }, columns[2].text(row)),
        `, ${replicas(row)} replicas, ${bytes(version.declared_bytes) || 'size unknown'} declared, ${usedText(row) ? `used ${usedText(row)}` : 'not used yet'}`),
      model.scaled ? el('p', { className: 'soft' }, `Scaled: ${[known(model.scaled.min_copies) ? `at least ${model.scaled.min_copies}` : '', known(model.scaled.max_copies) ? `at most ${model.scaled.max_copies}` : ''].filter(part => part).join(' and ')} replicas`) : null,
      version.reason ? el('p', { className: version.failed ? 'bad' : 'soft' }, version.reason) : null,
      version.cause ? el('p', { className: 'soft' }, `Changed ${ago(version.age_seconds)}: ${version.cause}`) : null,
      version.copies.length ? table : null);
  });
  $('model-versions').replaceChildren(...versions);
  const events = state.events.filter(event => event.model === state.model).slice(-50).reverse();
  $('model-events').replaceChildren(...events.map(eventRow));
  if (state.shownModel !== state.model) {
    state.shownModel = state.model;
    $('answer').replaceChildren();
    $('try').replaceChildren();
    if (model) {
      showTry(model);
    } else {
      $('placement').replaceChildren();
    }
  }
  const placed = JSON.stringify([state.model, state.cluster.nodes.map(node => [node.silo, node.status, node.draining]), model?.versions.map(version => version.copies.map(copy => [copy.state, copy.silo]))]);
  if (model && placed !== state.placed) {
    state.placed = placed;
    showPlacement(state.model);
  }
}

async function showPlacement(name) {
  try {
    const placement = await (await ask(path('cluster', 'models', name, 'placement'))).json();
    if (name !== state.model) return;
    $('placement').replaceChildren(...placement.versions.map(version => {
      const table = el('table');
      new Table(table, [
        { title: 'Silo', text: silo => siloName(silo.silo) },
        { title: 'Fits', text: silo => silo.candidate ? 'yes, a candidate' : silo.fits ? 'yes' : 'no', level: silo => silo.fits ? 'good' : 'bad' },
        { title: 'Why', text: silo => silo.reason },
      ]).render(version.silos, silo => silo.silo);
      return el('div', { className: 'version' },
        el('p', {}, `One more replica of version ${version.version} takes ${bytes(version.bytes)}.`),
        version.problem ? el('p', { className: 'bad' }, version.problem) : null,
        table);
    }));
  } catch (error) {
    state.placed = null;
    if (name === state.model) $('placement').replaceChildren(el('p', { className: 'soft' }, error.message));
  }
}

// ---- a form made of the model's metadata ----

const LARGEST_EXAMPLE = 4096;
const elements = shape => shape.reduce((product, size) => product * size, 1);

/** Where height, width and channels are in a shape; null where it is no picture. */
function picture(tensor) {
  if (!/^(FP|BF|UINT8|INT)/.test(tensor.datatype) || tensor.shape.length < 3 || tensor.shape.length > 4) return null;
  const batch = tensor.shape.length - 3;
  const [a, b, c] = tensor.shape.slice(batch);
  const isChannels = size => size === 1 || size === 3;
  const isSide = size => size === -1 || size > 4;
  if (isChannels(a) && isSide(b) && isSide(c)) return { channels: a, height: b === -1 ? 224 : b, width: c === -1 ? 224 : c, first: true };
  if (isChannels(c) && isSide(a) && isSide(b)) return { channels: c, height: a === -1 ? 224 : a, width: b === -1 ? 224 : b, first: false };
  return null;
}

async function showTry(model) {
  const form = $('try');
  const name = model.name;
  let metadata;
  try {
    metadata = await (await ask(path('models', name))).json();
  } catch (error) {
    if (name === state.model) form.replaceChildren(el('p', { className: 'soft' }, error.message));
    return;
  }
  if (name !== state.model) return;
  const inputs = (metadata.inputs ?? []).map(input => inputFields({ ...input, shape: (input.shape ?? []).map(Number) }));
  const classes = el('input', { type: 'checkbox', id: 'classes', checked: inputs.some(input => input.isPicture) });
  const send = el('button', { id: 'send' }, 'Send');
  form.replaceChildren(...inputs.map(input => input.element), el('label', {}, classes, ' Answer with the three best classes of each output'), send);
  form.onsubmit = async event => {
    event.preventDefault();
    send.disabled = true;
    try {
      const tensors = inputs.map(input => input.read());
      const outputs = classes.checked
        ? `,"outputs":${JSON.stringify((metadata.outputs ?? []).map(output => ({ name: output.name, parameters: { classification: 3 } })))}` : '';
      const start = performance.now();
      const response = await ask(path('models', name, 'infer'), { method: 'POST', body: `{"inputs":[${tensors.join(',')}]${outputs}}` });
      const text = await response.text();
      showAnswer(text, performance.now() - start);
    } catch (error) {
      $('answer').replaceChildren(el('p', { className: 'bad' }, error.message));
    } finally {
      send.disabled = false;
    }
  };
}

function inputFields(input) {
  const shape = input.shape.map(size => size === -1 ? 1 : size);
  const image = picture(input);
  if (image) {
    const at = input.shape.length - 3;
    [shape[at], shape[at + 1], shape[at + 2]] = image.first ? [image.channels, image.height, image.width] : [image.height, image.width, image.channels];
  }
  const shapeField = el('input', { value: shape.join(', '), 'aria-label': `Shape of ${input.name}` });
  const example = input.datatype === 'BYTES' ? '""' : input.datatype === 'BOOL' ? 'false' : '0';
  const count = elements(shape);
  const data = el('textarea', { value: count <= LARGEST_EXAMPLE ? `[${Array(count).fill(example).join(', ')}]` : '', 'aria-label': `Data of ${input.name}`, spellcheck: false });
  const element = el('fieldset', {},
    el('legend', {}, `${input.name} ${input.datatype} [${input.shape.join(', ')}]`),
    image ? dropZone(image, tensor => { data.value = `[${tensor.join(',')}]`; }, input) : null,
    el('label', {}, 'Shape ', shapeField),
    el('label', {}, 'Data, as JSON', data));
  return {
    element,
    isPicture: image !== null,
    read() {
      const sizes = shapeField.value.split(',').map(text => text.trim()).filter(Boolean);
      if (!sizes.every(size => /^\d+$/.test(size))) throw new Error(`The shape of ${input.name} is not numbers separated by commas.`);
      try {
        JSON.parse(data.value);
      } catch {
        throw new Error(`The data of ${input.name} is no JSON array.`);
      }
      // The text itself is sent: 64-bit integers would not survive as JavaScript's numbers.
      return `{"name":${JSON.stringify(input.name)},"datatype":${JSON.stringify(input.datatype)},"shape":[${sizes.join(',')}],"data":${data.value}}`;
    },
  };
}

function dropZone(image, take, input) {
  const isDigit = image.channels === 1 && image.width <= 32 && image.height <= 32;
  const canvas = el('canvas', { width: image.width, height: image.height });
  const file = el('input', { type: 'file', accept: 'image/*', 'aria-label': `Picture for ${input.name}` });
  const how = el('select', { 'aria-label': 'How the picture is prepared' },
    el('option', { value: 'digit', selected: isDigit }, 'one digit or letter, white on black, centred'),
    el('option', { value: 'whole', selected: !isDigit }, 'the whole picture'));
  const scale = el('select', { 'aria-label': 'Range of values' },
    el('option', { value: '1' }, 'values 0 to 255'),
    el('option', { value: '255' }, 'values 0 to 1'));
  const note = el('span', { className: 'soft' }, 'Drop a picture here, or choose one.');
  const zone = el('div', { className: 'drop' }, canvas, el('div', {}, note, el('br'), file, el('br'), how, ' ', scale));
  let last = null;
  const use = async blob => {
    if (!blob) return;
    last = blob;
    try {
      const bitmap = await createImageBitmap(blob);
      const pixels = how.value === 'digit' ? centred(bitmap, image) : resized(bitmap, image);
      if (!pixels) throw new Error('The picture shows nothing.');
      paint(canvas, pixels, image);
      take(toTensor(pixels, image, Number(scale.value), input.datatype));
      setText(note, `${blob.name ?? 'The picture'} is in the form; send it.`);
    } catch (error) {
      setText(note, error.message || 'This is no picture that the browser can read.');
    }
  };
  file.addEventListener('change', () => use(file.files[0]));
  how.addEventListener('change', () => use(last));
  scale.addEventListener('change', () => use(last));
  zone.addEventListener('dragover', event => {
    event.preventDefault();
    zone.classList.add('over');
  });
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', event => {
    event.preventDefault();
    zone.classList.remove('over');
    use(event.dataTransfer.files[0]);
  });
  return zone;
}

function draw(source, width, height, x, y, w, h, cut, background = '#000') {
  const canvas = el('canvas', { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  if (cut) context.drawImage(source, cut.x, cut.y, cut.width, cut.height, x, y, w, h);
  else context.drawImage(source, x, y, w, h);
  return { canvas, data: context.getImageData(0, 0, width, height).data };
}

const grey = (data, at) => 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];

/** Red, green and blue of each pixel of the whole picture in the model's size; what is transparent is white. */
const resized = (bitmap, image) => draw(bitmap, image.width, image.height, 0, 0, image.width, image.height, null, '#fff').data;

/** As examples/render_digit.py: full contrast, white on black, what is drawn cut out, 20 of 28 pixels high or wide, in the middle. */
function centred(bitmap, image) {
  const shrink = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.max(1, Math.round(bitmap.width * shrink)), Math.max(1, Math.round(bitmap.height * shrink))];
  const source = draw(bitmap, width, height, 0, 0, width, height, null, '#fff');
  const levels = Float32Array.from({ length: width * height }, (_, i) => grey(source.data, i * 4));
  const low = levels.reduce((a, b) => Math.min(a, b), 255);
  const high = levels.reduce((a, b) => Math.max(a, b), 0);
  if (high - low < 8) return null;
  const isLight = (levels[0] - low) / (high - low) > 0.5;
  const cut = { left: width, top: height, right: -1, bottom: -1 };
  const pixels = new ImageData(width, height);
  levels.forEach((value, i) => {
    const stretched = 255 * (value - low) / (high - low);
    const drawn = isLight ? 255 - stretched : stretched;
    pixels.data.set([drawn, drawn, drawn, 255], i * 4);
    if (drawn > 64) {
      const [x, y] = [i % width, Math.floor(i / width)];
      cut.left = Math.min(cut.left, x);
      cut.right = Math.max(cut.right, x);
      cut.top = Math.min(cut.top, y);
      cut.bottom = Math.max(cut.bottom, y);
    }
  });
  source.canvas.getContext('2d').putImageData(pixels, 0, 0);
  let part = { x: cut.left, y: cut.top, width: cut.right - cut.left + 1, height: cut.bottom - cut.top + 1 };
  const side = Math.max(part.width, part.height);
  const wanted = 20 / 28 * Math.min(image.width, image.height);
  const [w, h] = [Math.max(1, Math.round(part.width * wanted / side)), Math.max(1, Math.round(part.height * wanted / side))];
  // Browsers look at few pixels when they shrink a lot: halve first.
  let from = source.canvas;
  while (part.width > 2 * w && part.height > 2 * h) {
    const [halfWidth, halfHeight] = [Math.ceil(part.width / 2), Math.ceil(part.height / 2)];
    from = draw(from, halfWidth, halfHeight, 0, 0, halfWidth, halfHeight, part).canvas;
    part = { x: 0, y: 0, width: halfWidth, height: halfHeight };
  }
  return draw(from, image.width, image.height, Math.floor((image.width - w) / 2), Math.floor((image.height - h) / 2), w, h, part).data;
}

function paint(canvas, pixels, image) {
  const shown = new ImageData(image.width, image.height);
  for (let i = 0; i < pixels.length; i += 4) {
    const value = grey(pixels, i);
    shown.data.set(image.channels === 1 ? [value, value, value, 255] : [pixels[i], pixels[i + 1], pixels[i + 2], 255], i);
  }
  canvas.getContext('2d').putImageData(shown, 0, 0);
}

function toTensor(pixels, image, divisor, datatype) {
  const size = image.width * image.height;
  const values = new Array(size * image.channels);
  const isInteger = /INT/.test(datatype);
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < image.channels; channel++) {
      const value = (image.channels === 1 ? grey(pixels, i * 4) : pixels[i * 4 + channel]) / divisor;
      values[image.first ? channel * size + i : i * image.channels + channel] = isInteger ? Math.round(value) : Math.round(value * 1000) / 1000;
    }
  }
  return values;
}

function showAnswer(text, milliseconds) {
  const answer = JSON.parse(text);
  const parts = (answer.outputs ?? []).map(output => {
    const classes = output.datatype === 'BYTES' ? output.data.flat(Infinity).map(entry => /^([^:]*):(\d+)(?::(.*))?$/.exec(entry)) : [];
    const isClasses = classes.length > 0 && classes.every(Boolean);
    const head = el('p', {}, `${output.name} ${output.datatype} [${output.shape.join(', ')}]`);
    if (!isClasses) return el('div', {}, head, el('pre', {}, JSON.stringify(output.data.flat(Infinity).slice(0, 200))));
    const best = classes[0];
    return el('div', {}, head,
      el('p', { className: 'result', 'data-class': best[2] }, `${best[3] ?? `class ${best[2]}`}, ${Number(best[1]).toFixed(4)}`),
      el('div', { className: 'classes' }, ...classes.flatMap(([, score, index, label]) => [el('span', {}, label ?? index), el('progress', { max: 1, value: Number(score) }), el('span', {}, Number(score).toFixed(4))])));
  });
  $('answer').replaceChildren(
    el('p', { className: 'soft' }, `Version ${answer.model_version} answered in ${Math.round(milliseconds)} ms, the way to this browser included.`),
    ...parts,
    el('details', {}, el('summary', {}, 'The answer as it came'), el('pre', {}, text.slice(0, 20000))));
}

// ---- pages ----

function route() {
  const [page, ...rest] = location.hash.slice(1).split('/');
  const name = rest.join('/');
  let model = null;
  try {
    model = page === 'model' ? decodeURIComponent(name) : null;
  } catch {
    // A damaged address is that of no model.
  }
  if (state.model !== model) state.shownModel = null;
  state.model = model;
  return model !== null ? 'model' : ['aliases', 'silos', 'events'].includes(page) ? page : 'models';
}

function show() {
  const page = route();
  for (const id of ['models', 'model', 'aliases', 'silos', 'events']) $(id).hidden = id !== page;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${page === 'model' ? 'models' : page}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!state.cluster) return;
  ({ models: showModels, model: showModel, aliases: showAliases, silos: showSilos, events: showEvents })[page]();
}

addEventListener('hashchange', show);

function showHealth() {
  const { totals, cluster } = state.cluster;
  const parts = [
    `${totals.silos} ${totals.silos === 1 ? 'silo' : 'silos'}`,
    `${totals.ready_copies} of ${totals.desired_copies} replicas ready`,
    `${totals.rejected_requests} requests refused`,
    totals.store ? 'store answers' : 'store does not answer',
  ];
  setText($('cluster'), cluster);
  setText($('health'), parts.join(' · '));
  $('health').className = totals.silos === 0 || !totals.store ? 'bad' : totals.ready_copies < totals.desired_copies ? 'warn' : 'good';
}

// ---- live ----

let timer = 0;
let asking = false;
let again = false;

/** Reads the cluster, and plans the next reading: the longer one takes, the rarer they are. */
async function refresh() {
  clearTimeout(timer);
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  const start = performance.now();
  try {
    const text = await (await ask('/v2/cluster')).text();
    const read = performance.now();
    state.cluster = JSON.parse(text);
    state.rows = state.cluster.models.flatMap(model => model.versions.length
      ? model.versions.map(version => ({ model, version, copies: version.copies }))
      : [{ model, version: {}, copies: [] }]);
    $('sign-in').hidden = true;
    document.querySelector('main').hidden = false;
    $('sign-out').hidden = !sessionStorage.getItem(KEY);
    showTrouble('');
    showHealth();
    show();
    document.body.dataset.renderMs = String(Math.round(performance.now() - read));
  } catch (error) {
    showTrouble(error instanceof Refused ? error.message : 'The gateway does not answer; asking again.');
    if (error.isFinal) {
      setText($('health'), '');
      return;
    }
  } finally {
    asking = false;
  }
  const took = performance.now() - start;
  document.body.dataset.refreshMs = String(Math.round(took));
  timer = setTimeout(refresh, again ? 50 : Math.max(LEAST_PAUSE_MS, took * 5));
  again = false;
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Each start of a gateway keeps events of its own under ids of its own. Those of two would be the same events twice and out of order, so the newer one's stand alone. */
function joinEvents(kept, events) {
  const gateway = event => event.id.split('-')[0];
  const newest = gateway(events.at(-1));
  const ids = new Set(kept.map(event => event.id));
  return kept.concat(events.filter(event => !ids.has(event.id))).filter(event => gateway(event) === newest).slice(-KEPT_EVENTS);
}

/** The stream is read by hand: the browser's own EventSource can send no key. */
async function follow(session) {
  let last = '';
  while (session === state.session) {
    try {
      const response = await ask('/v2/cluster/events', { headers: { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) } });
      setText($('live'), 'live');
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (let part = await reader.read(); !part.done && session === state.session; part = await reader.read()) {
        const messages = (rest + part.value).split('\n\n');
        rest = messages.pop();
        const events = [];
        for (const message of messages) {
          const lines = message.split('\n');
          last = lines.find(line => line.startsWith('id: '))?.slice(4) ?? last;
          const data = lines.find(line => line.startsWith('data: '));
          if (data) events.push(JSON.parse(data.slice(6)));
        }
        if (events.length) {
          state.events = joinEvents(state.events, events);
          if (!$('events').hidden) showEvents();
          if (!document.hidden) refresh();
        }
      }
      reader.cancel();
    } catch (error) {
      setText($('live'), error instanceof Refused ? '' : 'connects again …');
      if (error.isFinal) return;
    }
    await pause(1000);
  }
}

document.addEventListener('visibilitychange', () => document.hidden ? clearTimeout(timer) : refresh());

function restart() {
  state.session = Symbol('session');
  refresh();
  follow(state.session);
}

show();
restart();
