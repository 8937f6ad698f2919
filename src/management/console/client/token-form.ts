import type { IssuedToken, Session, Token } from '../../wire/types.js';
import { type Child, h } from './dom.js';
import { type ExpiryField, expiryField } from './expiry.js';
import { choice, radioField, textField } from './fields.js';
import { type Field, openForm } from './form.js';
import { grantsField } from './grants.js';
import { createToken, type Ownership, type TokenChanges, updateToken } from './tokens.js';

const NAME_LENGTH = 200;
const DESCRIPTION_LENGTH = 2_000;

function nameField(value?: string) {
  return textField({
    label: 'Name',
    hint: 'Its purpose, so that others know it too.',
    required: 'Give the token a name.',
    maxLength: NAME_LENGTH,
    paths: ['name'],
    ...(value !== undefined && { value }),
  });
}

function descriptionField(value = '') {
  return textField({
    label: 'Description',
    multiline: true,
    maxLength: DESCRIPTION_LENGTH,
    paths: ['description'],
    value,
  });
}

/** The dialog that makes a token. `done` gets it with its secret. */
export function openCreateToken(
  session: Session,
  ownership: Ownership,
  done: (token: IssuedToken, opener: Element | null) => void,
): void {
  const name = nameField();
  const description = descriptionField();
  const belongs = ownershipField(session, ownership);
  const grants = grantsField(session);
  const expiry = expiryField();
  openForm<IssuedToken>({
    title: 'Create API token',
    className: 'wide',
    fields: [name, description, ...(belongs ? [belongs] : []), grants, expiry],
    submit: 'Create',
    busy: 'Creating…',
    focus: () => name.input,
    send: () =>
      createToken({
        name: name.value(),
        description: description.value(),
        types: grants.value(),
        expired_at: expiry.value() ?? null,
        ownership: belongs?.value() ?? 'personal',
      }),
    done,
  });
}

function ownershipField(session: Session, value: Ownership): Field<Ownership> | null {
  if (!session.can.manageTokens) return null;
  return radioField<Ownership>({
    label: 'Belongs to',
    value,
    paths: ['ownership'],
    options: [
      { value: 'personal', label: 'Me', hint: 'Ends when I leave the organization.' },
      { value: 'organization', label: 'The organization', hint: 'Outlives me. All members see it.' },
    ],
  });
}

/** The dialog that changes a token. Only changed fields are sent. */
export function openUpdateToken(
  session: Session,
  token: Token,
  done: (token: Token, opener: Element | null) => void,
): void {
  const name = nameField(token.name);
  const description = descriptionField(token.description);
  const grants = grantsField(session, token.types, token.dead_grants);
  const grantsBefore = JSON.stringify(grants.value());
  const dead = token.dead_grants.length > 0 ? deadGrantsField(token) : null;
  const regranted = () => dead?.value() === true || JSON.stringify(grants.value()) !== grantsBefore;
  // Unchanged grants are not checked: the caller need not be able to give them.
  const checked = { ...grants, check: () => (regranted() ? grants.check() : null) };
  const expiry: ExpiryField | null = token.is_expired ? null : expiryField({ expiredAt: token.expired_at });
  openForm<Token>({
    title: 'Update API token',
    className: 'wide',
    intro: note(token),
    fields: [name, description, checked, ...(dead ? [dead] : []), ...(expiry ? [expiry] : [])],
    submit: 'Update',
    busy: 'Updating…',
    focus: () => name.input,
    send: async () => {
      const expiredAt = expiry?.value();
      const changes: TokenChanges = {
        ...(name.value() !== token.name && { name: name.value() }),
        ...(description.value() !== token.description && { description: description.value() }),
        ...(regranted() && { types: grants.value() }),
        ...(expiredAt !== undefined && { expired_at: expiredAt }),
      };
      return Object.keys(changes).length === 0 ? token : updateToken(token, changes);
    },
    done,
  });
}

/** Removes the grants of deleted endpoints. Any other change of the grants removes them too. */
function deadGrantsField({ dead_grants }: Token): Field<boolean> {
  const ids = [...new Set(dead_grants.map(({ endpoint }) => endpoint))];
  const input = h('input', { type: 'checkbox' });
  const hint = `The token does not reach them any more: ${ids.join(', ')}`;
  return {
    element: h('div', { class: 'field' }, choice(input, 'Take away the grants of deleted endpoints', hint)),
    paths: [],
    value: () => input.checked,
    check: () => null,
    show() {},
    focus: () => input.focus(),
  };
}

function note(token: Token): Child {
  if (token.revoked_at !== null)
    return h('p', { class: 'hint' }, 'This token is revoked. No change here makes it work again.');
  return token.is_expired && h('p', { class: 'hint' }, 'This token has expired: its end can no longer be moved.');
}
