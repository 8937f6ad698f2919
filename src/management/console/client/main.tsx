import { render } from 'preact';
import { App } from './app.js';
import { paint } from './color.js';
import { language } from './i18n.js';
import { branding, root } from './page-data.js';
import { anythingUnsaved } from './parts/dialog.js';

document.documentElement.lang = language;
if (branding.color !== undefined) paint(branding.color, document.documentElement.style);
addEventListener('beforeunload', (event) => {
  if (anythingUnsaved()) event.preventDefault();
});
render(<App />, root);
