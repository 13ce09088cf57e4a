/**
 * Gets the machine what the GPU tests run on. On Debian and Ubuntu, as root, through apt; elsewhere it only says what
 * to install. What is already there is left alone, and then nothing here touches the network.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEnvironments } from './environments.js';

/** Dawn refuses older versions of Mesa's software renderer. */
const OLDEST_MESA = '24';
const MESA = 'mesa-vulkan-drivers';
const APT = { sources: '/etc/apt/sources.list.d', oldSources: '/etc/apt/sources.list' };

/** Installs the browser and the software Vulkan driver that are missing. */
export function provideEnvironments() {
  const missing = missingPackages();
  if (missing.length === 0 || !canInstall()) return;
  console.log(`Installing ${missing.join(', ')} with apt ...`);
  apt(['update']);
  if (missing.includes(MESA) && !fitMesa()) addBackports();
  for (const name of missing) {
    // Backports are taken only where they are asked for by name.
    const release = name === MESA ? fitMesa()?.release : undefined;
    apt(['install', '--yes', '--no-install-recommends', ...(release ? ['--target-release', release] : []), name]);
  }
}

/** What to install by hand on this system to have `environment`; one line. */
export function advice(/** @type {'chromium' | 'lavapipe' | 'swiftshader'} */ environment) {
  if (environment === 'lavapipe') {
    return process.platform === 'linux'
      ? `install the Vulkan loader and Mesa ${OLDEST_MESA} or newer (Debian, Ubuntu: apt-get install libvulkan1 ${MESA})`
      : `Mesa's lavapipe is looked for on Linux alone`;
  }
  if (environment === 'swiftshader') {
    return process.platform === 'linux'
      ? 'install Chromium and the Vulkan loader (Debian, Ubuntu: apt-get install chromium libvulkan1)'
      : `Chromium's SwiftShader is used under Dawn on Linux alone`;
  }
  return 'install Chrome or Chromium, or set CHROME to its program file';
}

/** @returns {string[]} Debian's names of what is missing here */
function missingPackages() {
  const { chromium, lavapipe, swiftshader } = findEnvironments();
  return [
    ...(chromium && swiftshader ? [] : ['chromium']),
    ...(hasVulkanLoader() ? [] : ['libvulkan1']),
    ...(lavapipe && !isOld(installedVersion(MESA)) ? [] : [MESA]),
  ];
}

function canInstall() {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

function hasVulkanLoader() {
  const folders = ['/usr/lib', '/usr/lib64', ...readdirSync('/usr/lib').map((name) => join('/usr/lib', name))];
  return process.platform !== 'linux' || folders.some((folder) => existsSync(join(folder, 'libvulkan.so.1')));
}

/**
 * @param {string[]} args
 * @returns {boolean} whether it worked; what apt says is shown only where it did not
 */
function apt(args) {
  const options = ['-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', '-qq'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr } = spawnSync('apt-get', [...options, ...args], { env, encoding: 'utf8' });
  if (status !== 0) console.log(`apt-get ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return status === 0;
}

/** @param {string} command @param {string[]} args */
function output(command, args) {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '';
}

/** @param {string} name @returns {string} '' where it is not a package of this system */
function installedVersion(name) {
  return output('dpkg-query', ['--show', '--showformat=${Version}', name]);
}

/** @param {string} version */
function isOld(version) {
  return version !== '' && spawnSync('dpkg', ['--compare-versions', version, 'lt', OLDEST_MESA]).status === 0;
}

/**
 * Every version of a package that apt's lists hold, and the release it is in, out of `apt-cache madison`'s table:
 * `mesa-vulkan-drivers | 25.0.7-2 | ADDRESS bookworm-backports/main amd64 Packages`.
 *
 * @param {string} table
 */
export function offeredVersions(table) {
  return table.split('\n').flatMap((row) => {
    const [, version, source] = row.split('|').map((cell) => cell.trim());
    const release = source?.split(' ')[1]?.split('/')[0];
    return version && release ? [{ version, release }] : [];
  });
}

/** The newest release first, as apt lists them, that has a Mesa which Dawn takes. */
function fitMesa() {
  return offeredVersions(output('apt-cache', ['madison', MESA])).find(({ version }) => !isOld(version));
}

/** Adds the system's own backports, from the very place its other packages come from. */
function addBackports() {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (!codename) return;
  const files = readdirSync(APT.sources).map((name) => join(APT.sources, name));
  for (const file of [...files, APT.oldSources].filter((name) => existsSync(name))) {
    const entry = backportsEntry(readFileSync(file, 'utf8'), codename, file.endsWith('.sources'));
    if (!entry) continue;
    const name = `fireside-backports.${file.endsWith('.sources') ? 'sources' : 'list'}`;
    console.log(`Adding ${codename}-backports to apt's sources (${join(APT.sources, name)}) ...`);
    writeFileSync(join(APT.sources, name), entry);
    apt(['update']);
    return;
  }
}

/**
 * The entry for backports, made of the one that the system has for its release.
 *
 * @param {string} text a sources file
 * @param {string} codename the release, such as `bookworm`
 * @param {boolean} deb822 stanzas (*.sources) instead of lines (*.list)
 * @returns {string | undefined}
 */
export function backportsEntry(text, codename, deb822) {
  const suite = `${codename}-backports`;
  if (deb822) {
    const suites = new RegExp(`^Suites:.*\\b${codename}(\\s|$).*`, 'm');
    const stanza = text.split(/\n\s*\n/).find((part) => suites.test(part));
    return stanza && `${stanza.replace(suites, `Suites: ${suite}`).trim()}\n`;
  }
  const line = new RegExp(`^(deb\\s+(?:\\[.*?\\]\\s+)?\\S+\\s+)${codename}(\\s+.*)$`, 'm').exec(text);
  return line ? `${line[1]}${suite}${line[2]}\n` : undefined;
}
