import { branding, brandName } from '../page-data.js';
import { Icon } from './icon.js';

/** The application's logo and name, with the way to it; or postern's own. */
export function Brand() {
  const inside = (
    <>
      {branding.logo === undefined ? <Icon name="arch" /> : <img class="logo" src={branding.logo} alt="" />}
      {brandName}
    </>
  );
  if (branding.home === undefined) return <p class="brand">{inside}</p>;
  return (
    <p class="brand">
      <a href={branding.home}>{inside}</a>
    </p>
  );
}
