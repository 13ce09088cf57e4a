/** The words of the pages about the device, in English. */
import { plural } from '../plural';

const count = (n: number): string => n.toLocaleString('en');

const device = {
  pages: 'About this device',
  about: 'What it is',
  bench: 'What it can do',

  intro:
    'Fireside runs language models in this tab, on the GPU where there is one. This page opens the GPU, checks what it computes, and tells what it is.',
  opening: 'Waking the GPU and checking its arithmetic',
  measuring: 'Timing one attention call',
  noGpu: 'Fireside cannot use a GPU here',
  unchanged: 'Nothing was changed on this device.',
  slow: 'It works, but slowly',
  slowText: 'The browser offers no GPU here and computes on the processor instead. Answers would take long.',
  ready: 'This device is ready',
  readyText: (time: string): string => `The GPU was open after ${time}, and what it computes is right.`,
  noScript: 'This page needs JavaScript to talk to the GPU. Allow it for this address, and reload.',
  layer: (tokens: number): string => `One layer reading ${count(tokens)} tokens`,
  callTime: 'Time of one attention call',
  call: (heads: number, dim: number, on: number): string =>
    `Causal attention, ${count(heads)} heads of ${count(dim)} on ${count(on)}, float32.`,
  exact: (difference: string): string => `Equal to the exact result within ${difference}.`,
  all: 'Every limit, feature and choice',
  chosen: 'Chosen here',
  features: 'Features',
  noFeatures: 'None beyond the basics.',
  limits: 'Limits',
  copyText: 'Copy as text',
  copied: 'Copied',

  facts: {
    graphics: 'Graphics',
    software: '(software, no GPU)',
    unnamed: 'The browser does not say which',
    half: 'Half precision',
    subgroups: 'Subgroups',
    clock: 'GPU clock',
    buffer: 'Largest buffer',
    bindingPart: (size: string): string => `of which a kernel sees ${size} at a time`,
    workgroup: 'Workgroup',
    threads: (n: string): string => `${n} threads`,
    sharing: (size: string): string => `sharing ${size}`,
    yes: 'Yes',
    no: 'No',
    flash: 'FlashAttention',
    standard: 'With every score held in memory',
  },

  remedies: {
    noWebgpu: [
      'Open this page in a current Chrome or Edge, in Safari 26 or newer, or in Firefox on Windows or macOS.',
      'On an iPhone or iPad, update to iOS 26 or newer.',
      'If the address starts with http://, use https:// instead: browsers keep WebGPU to secure pages.',
    ],
    noAdapter: [
      'Switch on hardware acceleration in the browser’s settings, under System, and restart the browser.',
      'Update the graphics driver, and then the browser.',
      'In Chrome on Linux, set chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan to Enabled.',
    ],
    memory: ['Close other tabs and programs that use the GPU, and try again.'],
    wrong: ['Update the browser and the graphics driver: this one computes wrongly.', 'Try another browser.'],
    limit: ['Try another browser: this one offers less than the GPU has.'],
    worker: ['Reload the page.', 'If that does not help, a blocker may be keeping its scripts from loading.'],
    other: ['Reload the page. If it happens again, it is our mistake, and a report would help.'],
  },

  run: {
    intro:
      'How fast this device reads, multiplies and answers, measured in this tab. It takes some seconds on a GPU, longer without one, and nothing leaves the device.',
    model: 'Model',
    start: 'Measure',
    again: 'Measure again',
    progress: 'How far the measuring is',
    cancelled: 'Stopped. What was measured until then is below.',
    failed: 'The measuring broke off',
    elsewhere: 'Another tab has a model open. If it answers meanwhile, these figures suffer.',
    steps: {
      opening: 'Waking the GPU and checking its arithmetic',
      reading: 'Timing how fast memory is read',
      product: 'Timing how fast matrices are multiplied',
      prefill: 'Timing attention over a prompt',
      decode: 'Timing attention for one token',
      model: 'Opening the model',
      answers: 'Timing answers',
      operations: 'Looking where the time goes',
    },
    noGpu: 'No GPU to measure here',
    noGpuText: 'What the processor can do is measured all the same.',
    softwareGpu: 'This is no GPU',
    softwareGpuText: 'The browser imitates one on the processor. The figures are right, and small.',
    rates: 'The GPU',
    reading: 'Reads memory',
    multiplying: (type: string): string => `Multiplies, ${type}`,
    spread: (percent: string): string => `± ${percent}`,
    prefill: 'Attention, reading a prompt',
    decode: 'Attention, writing a token',
    promptLength: 'Tokens in the prompt',
    cacheLength: 'Tokens read before',
    time: 'Milliseconds',
    flash: 'FlashAttention',
    standard: 'With every score in memory',
    compare: (tokens: number, ratio: string): string =>
      `At ${count(tokens)} tokens FlashAttention is ${ratio} times as fast.`,
    compareSlower: (tokens: number, ratio: string): string =>
      `At ${count(tokens)} tokens FlashAttention takes ${ratio} times as long.`,
    memory: (flash: string, standard: string): string =>
      `It needs ${flash} of memory beyond its input and output, the other way ${standard}.`,
    asTable: 'As a table',
    tokens: 'Tokens',
    tooSlow: 'too slow',
    failedHere: 'not possible',
    layerNote: 'One layer, 8 heads of 64 on 2, float32. Every result was compared with the exact one.',
    answering: (name: string): string => `Answers of ${name}`,
    where: 'Runs',
    reads: 'Reads a prompt',
    writes: 'Writes',
    perSecond: (rate: string): string => `${rate} tokens/s`,
    ofTokens: (n: number): string => plural('en', n, { one: '1 token', other: `${count(n)} tokens` }),
    weights: 'Weights read for a token',
    ofBandwidth: (rate: string, percent: string): string => `${rate} while it writes, ${percent} of what was measured`,
    profile: 'Where the time goes',
    promptStep: (n: number): string => `A prompt of ${count(n)} tokens`,
    tokenStep: 'One token',
    dispatches: (n: number): string => plural('en', n, { one: '1 dispatch', other: `${count(n)} dispatches` }),
    wallClock:
      'This adapter has no clock of its own for single operations. Each was timed alone by the wall, waiting included: compare the large ones only.',
    onCpu: 'The processor’s engine does not tell its operations apart.',
    groups: {
      products: 'Products with weights',
      attention: 'Attention',
      sampling: 'Drawing the token',
      rest: 'Norms, positions, embedding',
    },
    copyJson: 'Copy as JSON',
    save: 'Save as a file',
  },
};

export type DeviceMessages = typeof device;
export default device;
