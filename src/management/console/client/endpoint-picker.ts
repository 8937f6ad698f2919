import type { Grants, Session } from '../../wire/types.js';
import { h, replaceContent, uniqueId } from './dom.js';
import { readEndpoints } from './endpoints.js';
import { choice } from './fields.js';
import { sentence } from './form.js';
import type { Picker } from './picker.js';

/** With more endpoints than this there is a search box. */
const FEW = 8;

/**
 * All deployments, or some of them by name.
 *
 * @param dead the deleted endpoints of `given`. They are not preselected, because another endpoint may have the name now
 */
export function endpointPicker(session: Session, given: Grants[string] | undefined, dead: readonly string[]): Picker {
  const before = given !== undefined && 'endpoints' in given ? given.endpoints : [];
  const chosen = new Set(before === '*' ? [] : before.filter((id) => !dead.includes(id)));
  const name = uniqueId('endpoints');
  const radio = (value: string, checked: boolean) =>
    h('input', { type: 'radio', name, value, checked, on: { change: () => update() } });
  const all = radio('all', before === '*');
  const some = radio('some', before !== '*');
  all.disabled = session.grants.endpoints !== '*' && before !== '*';
  const list = h('div', { class: 'endpoint-list', role: 'group', 'aria-label': 'Deployments' });
  const element = h(
    'div',
    { class: 'endpoints' },
    choice(all, 'All Deployments', 'Also those that are made later.'),
    choice(some, 'Chosen deployments'),
    list,
  );
  let boxes: HTMLInputElement[] = [];

  function update(): void {
    list.hidden = all.checked;
  }

  async function load(): Promise<void> {
    replaceContent(list, h('p', { class: 'hint' }, 'Loading deployments…'));
    try {
      const reachable = session.grants.endpoints;
      const ids = session.can.readEndpoints
        ? (await readEndpoints()).map(({ id }) => id)
        : reachable === '*'
          ? []
          : [...reachable];
      show(reachable === '*' ? ids : ids.filter((id) => reachable.includes(id) || chosen.has(id)));
    } catch (error) {
      const retry = h('button', { type: 'button', on: { click: () => void load() } }, 'Try again');
      replaceContent(list, h('p', { class: 'error', role: 'alert' }, sentence(error)), retry);
    }
  }

  function show(ids: readonly string[]): void {
    // A caller may take away a grant that they could not give.
    const every = [...new Set([...ids, ...chosen])].sort();
    if (every.length === 0) {
      replaceContent(
        list,
        h(
          'p',
          { class: 'hint' },
          'No endpoint is registered yet. Create one on the page Endpoints, or grant All Deployments.',
        ),
      );
      return;
    }
    const rows = every.map((id) => {
      const input = h('input', {
        type: 'checkbox',
        value: id,
        checked: chosen.has(id),
        on: { change: () => toggle(input) },
      });
      return h(
        'div',
        { class: 'choice' },
        h('label', {}, input, h('span', { class: 'choice-label mono' }, id)),
        dead.includes(id) &&
          h('p', { class: 'hint' }, 'This is a new endpoint. The one that the token was granted was deleted.'),
      );
    });
    boxes = rows.map((row) => row.querySelector('input') as HTMLInputElement);
    replaceContent(list, every.length > FEW && narrowing(rows), h('div', { class: 'endpoint-choices' }, rows));
  }

  function toggle(input: HTMLInputElement): void {
    if (input.checked) chosen.add(input.value);
    else chosen.delete(input.value);
  }

  function narrowing(rows: readonly HTMLElement[]): HTMLElement {
    const input = h('input', {
      type: 'search',
      'aria-label': 'Find a deployment',
      placeholder: 'Find a deployment',
      on: {
        input: () => {
          const text = input.value.trim().toLowerCase();
          for (const row of rows) row.hidden = !(row.textContent ?? '').toLowerCase().includes(text);
        },
        // Enter in a search box would send the form around it.
        keydown: (event) => event.key === 'Enter' && event.preventDefault(),
      },
    });
    return input;
  }

  update();
  void load();
  return {
    element,
    missing: 'Choose at least one deployment, or All Deployments, or switch this access off.',
    grant: () => (all.checked ? { endpoints: '*' } : chosen.size > 0 ? { endpoints: [...chosen].sort() } : null),
    focus: () => (boxes.find(({ disabled }) => !disabled) ?? some).focus(),
  };
}
