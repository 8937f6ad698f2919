import type { ComponentChildren } from 'preact';
import { Button } from '../../../../src/management/console/client/parts/button.js';
import { ConfirmByName } from '../../../../src/management/console/client/parts/confirm.js';
import { openDialog } from '../../../../src/management/console/client/parts/dialog.js';
import { TextField } from '../../../../src/management/console/client/parts/fields.js';
import { FormDialog } from '../../../../src/management/console/client/parts/form.js';
import { Notice, Section } from '../../../../src/management/console/client/parts/page.js';

export const nothing = () => {};

export function Row({ children }: { readonly children: ComponentChildren }) {
  return <div class="buttons">{children}</div>;
}

export const DIALOGS = {
  form: () =>
    openDialog((close) => (
      <FormDialog
        title="Create API token"
        close={close}
        initial={{ name: '' }}
        check={({ name }) => (name === '' ? { name: 'Give the token a name.' } : {})}
        submit="Create"
        busy="Creating…"
        send={async () => Promise.reject(new Error('Refused.'))}
        done={nothing}
      >
        {({ values, errors, set }) => (
          <TextField
            label="Name"
            required
            value={values.name}
            error={errors.name}
            onInput={(name) => set('name', name)}
          />
        )}
      </FormDialog>
    )),
  confirm: () =>
    openDialog((close) => (
      <ConfirmByName
        title="Delete token"
        name="ci"
        close={close}
        submit="Delete"
        busy="Deleting…"
        send={async () => {}}
        done={nothing}
      >
        <p>This can’t be undone.</p>
        <Notice tone="danger">You are signed in with this token. You will be signed out at once.</Notice>
      </ConfirmByName>
    )),
};

export function DialogButtons() {
  return (
    <Section title="Dialogs">
      <Row>
        <Button onClick={DIALOGS.form}>A form</Button>
        <Button onClick={DIALOGS.confirm}>A confirmation</Button>
      </Row>
    </Section>
  );
}
