import type { ComponentChildren } from 'preact';
import { escapeInvisible } from '../../../../domain/text.js';
import { t } from '../i18n.js';
import type { Close } from './dialog.js';
import { TextField } from './fields.js';
import { FormDialog } from './form.js';
import { Foreign } from './text.js';

interface ConfirmByNameProps {
  readonly title: string;
  /** The name of the thing to be deleted. */
  readonly name: string;
  readonly close: Close;
  readonly submit: string;
  readonly busy: string;
  readonly send: () => Promise<unknown>;
  readonly done: () => void;
  /** The consequences. */
  readonly children: ComponentChildren;
}

/** A dialog for actions that can't be undone: the person must type the name as shown. */
export function ConfirmByName(props: ConfirmByNameProps) {
  const wanted = spaced(escapeInvisible(props.name));
  const matches = (typed: string) => spaced(typed) === wanted || typed === props.name;
  const check = ({ typed }: { readonly typed: string }) => {
    if (matches(typed)) return {};
    return { typed: t(typed.trim() === '' ? 'form.typeNameMissing' : 'form.typeNameWrong') };
  };
  return (
    <FormDialog
      title={props.title}
      close={props.close}
      initial={{ typed: '' }}
      check={check}
      allowed={({ typed }) => matches(typed)}
      // The typed name is not worth a question when it is lost.
      keeps={false}
      submit={props.submit}
      busy={props.busy}
      danger
      send={props.send}
      done={props.done}
    >
      {({ values, errors, set }) => (
        <>
          {props.children}
          <p class="named">
            <Foreign text={props.name} />
          </p>
          <TextField
            label={t('form.typeName')}
            required
            value={values.typed}
            error={errors.typed}
            onInput={(typed) => set('typed', typed)}
          />
        </>
      )}
    </FormDialog>
  );
}

/** HTML shows several spaces as one, so people type one. */
function spaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
