import type { PageData } from '../page-data.js';

/** The element that the console is shown in, with the application's settings. */
export const root = document.querySelector('#app') as HTMLElement;

export const { branding, loginUrl, signOut, found }: PageData = JSON.parse(root.dataset.page ?? '{}');

export const brandName: string = branding.name ?? 'postern';
