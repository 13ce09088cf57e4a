/** Die Wörter der Seite auf Deutsch. */
import device from './device/de';
import type { Messages } from './en';
import models from './models/de';
import { plural } from './plural';
import widget from './widget/de';

const count = (n: number): string => n.toLocaleString('de');

const de: Messages = {
  close: 'Schließen',
  cancel: 'Abbrechen',
  save: 'Speichern',
  undo: 'Rückgängig',
  copy: 'Kopieren',
  copied: 'Kopiert',
  reload: 'Neu laden',
  skip: 'Zum Inhalt springen',

  device,

  sidebar: {
    name: 'Unterhaltungen',
    show: 'Unterhaltungen zeigen',
    hide: 'Unterhaltungen ausblenden',
    newChat: 'Neuer Chat',
    search: 'Unterhaltungen suchen',
    nothingFound: (words) => `Zu «${words}» wurde nichts gefunden.`,
    found: (n) => plural('de', n, { one: '1 Unterhaltung gefunden', other: `${count(n)} Unterhaltungen gefunden` }),
    empty: 'Hier steht bald, worüber du sprichst. Es bleibt auf diesem Gerät.',
    untitled: 'Neuer Chat',
    pinned: 'Angeheftet',
    today: 'Heute',
    yesterday: 'Gestern',
    lastWeek: 'Letzte 7 Tage',
    older: 'Älter',
    actions: (title) => `Mehr zu «${title}»`,
    rename: 'Umbenennen',
    title: 'Titel',
    pin: 'Anheften',
    unpin: 'Lösen',
    exportJson: 'Als JSON exportieren',
    exportMarkdown: 'Als Markdown exportieren',
    remove: 'Löschen',
    removed: (title) => `«${title}» wurde gelöscht.`,
    answering: 'wird gerade beantwortet',
    newer: 'aus einer neueren Version',
  },

  composer: {
    message: 'Nachricht',
    placeholder: 'Schreib eine Nachricht',
    send: 'Senden',
    sendKey: 'Senden (Enter)',
    stop: 'Anhalten',
    stopKey: 'Anhalten (Esc)',
    note: 'Antworten können falsch sein. Prüfe, worauf es ankommt.',
  },

  attach: {
    add: 'Texte anhängen',
    files: 'Angehängte Texte',
    remove: (name: string): string => `«${name}» entfernen`,
    pasted: 'Eingefügter Text',
    pastedNote: 'Was du eingefügt hast, ist lang und wurde angehängt.',
    tooMuch: (n: number, of: number): string => `${count(n)} Tokens, mehr als das Modell fasst (${count(of)})`,
    tooLarge: (name: string, size: string, most: string): string =>
      `«${name}» hat ${size}. Ein Text darf ${most} haben.`,
    noText: (name: string): string =>
      `«${name}» ist kein Text. Das Modell liest Texte: Notizen, Code, Tabellen als CSV.`,
    tooMany: (most: number): string => `Eine Nachricht fasst ${count(most)} Dateien.`,
    drop: 'Lass hier einen Text los, nach dem du fragen willst, ein Modell oder einen exportierten Chat',
  },

  thread: {
    conversation: 'Unterhaltung',
    you: 'Du',
    answer: 'Antwort',
    toEnd: 'Zur neuesten Nachricht',
    leftWindow: (n) =>
      plural('de', n, {
        one: 'Die Nachricht darüber passt nicht mehr in das, was das Modell fassen kann. Sie bleibt hier, aber das Modell sieht sie nicht.',
        other: `Die ${count(n)} Nachrichten darüber passen nicht mehr in das, was das Modell fassen kann. Sie bleiben hier, aber das Modell sieht sie nicht.`,
      }),
    responding: 'Antwortet',
    thinking: 'Denkt nach',
    reading: (percent) => `Liest, ${percent}`,
    thought: (time) => `Hat ${time} nachgedacht`,
    thoughts: 'Gedanken',
    copyCode: 'Code kopieren',
    code: 'Code',
  },

  message: {
    actions: 'Was man mit dieser Nachricht tun kann',
    copy: 'Nachricht kopieren',
    edit: 'Bearbeiten',
    editQuestion: 'Die Nachricht bearbeiten',
    editAnswer: 'Die Antwort bearbeiten',
    sendEdit: 'Senden',
    regenerate: 'Noch einmal antworten',
    continue: 'Fortsetzen',
    remove: 'Löschen',
    removed: (n) =>
      plural('de', n, { one: '1 Nachricht wurde gelöscht.', other: `${count(n)} Nachrichten wurden gelöscht.` }),
    versions: 'Fassungen',
    previous: 'Vorige Fassung',
    next: 'Nächste Fassung',
    version: (n, of) => `${count(n)} von ${count(of)}`,
    edited: 'von dir bearbeitet',
    elsewhere: 'Diese Antwort wird in einem anderen Tab geschrieben.',
    brokeOff: 'Diese Antwort brach ab. Was kam, ist aufgehoben.',
  },

  figures: {
    tokens: (n) => plural('de', n, { one: '1 Token', other: `${count(n)} Tokens` }),
    rate: (rate) => `${rate} Tokens/s`,
    first: (time) => `das erste nach ${time}`,
    reused: (n, of) => `${count(n)} von ${count(of)} Prompt-Tokens wiederverwendet`,
    aborted: 'von dir angehalten',
    length: 'abgeschnitten: so lang, wie die Einstellungen erlauben',
    context: 'abgeschnitten: das Fenster des Modells ist voll',
    explain:
      'Tokens sind Stücke von Wörtern. Wiederverwendete lagen noch im Speicher und mussten nicht neu gelesen werden.',
  },

  context: {
    used: (used, of) => `${count(used)} von ${count(of)} Tokens Kontext belegt`,
  },

  model: {
    on: { gpu: 'auf der GPU', cpu: 'auf dem Prozessor' },
    threads: (n) => plural('de', n, { one: '1 Thread', other: `${count(n)} Threads` }),
    gpu: (adapter) => `Dieses Gerät hat eine GPU, die WebGPU nutzen kann: ${adapter}.`,
    someGpu: 'Dieses Gerät hat eine GPU, die WebGPU nutzen kann.',
    askedGpu: 'Du hast die GPU gewählt.',
    askedCpu: 'Du hast den Prozessor gewählt.',
    noGpu: 'Der Browser bietet keine GPU an.',
    softwareGpu:
      'Die GPU des Browsers wird hier von Software nachgeahmt; das ist langsamer, als den Prozessor direkt zu nutzen.',
    gpuFailed: 'Die GPU konnte dieses Modell nicht ausführen.',
    facts: (size, time, tokens) => `${size}, geöffnet in ${time}. Es fasst ${count(tokens)} Tokens Unterhaltung.`,
    runOn: 'Ausführen auf',
    faster: 'Was schneller ist',
    theGpu: 'GPU',
    theCpu: 'Prozessor',
    device: 'Dieses Gerät',
    models: 'Modelle',
    moreOnDevice: 'Mehr über dieses Gerät',
  },

  models,

  load: {
    server: 'Der Server wird nach seinen Modellen gefragt',
    device: 'Sucht eine GPU',
    read: (done, total) => `Liest das Modell: ${done} von ${total}`,
    upload: 'Gibt das Modell an die GPU',
    compile: 'Macht sich bereit',
    progress: 'Das Modell wird gelesen',
    recovering: 'Das Rechenwerk wird neu gestartet',
  },

  server: {
    title: 'Ein eigener Server',
    intro:
      'Ein Modell, das für dieses Gerät zu groß ist, kann von einem anderen Rechner aus antworten: vLLM, TGI, llama.cpp, Ollama, «fireside serve» oder was sonst das Format von OpenAI spricht.',
    address: 'Adresse',
    addressNote: 'Etwa localhost:11434 (Ollama), localhost:8642 (fireside serve) oder https://example.com/v1',
    key: 'Schlüssel',
    keyNote: 'Falls der Server einen verlangt. Nur dieser Server bekommt ihn.',
    keep: 'Den Schlüssel behalten',
    keepTab: 'bis dieser Tab geschlossen wird',
    keepDevice: 'auf diesem Gerät',
    look: 'Nach Modellen fragen',
    looking: (host: string): string => `${host} wird gefragt`,
    found: (host: string, n: number): string =>
      plural('de', n, { one: `${host} hat 1 Modell`, other: `${host} hat ${count(n)} Modelle` }),
    consentTitle: (host: string): string => `Was Sie schreiben, geht an ${host}`,
    consent: (host: string): string =>
      `Mit jeder Frage werden das ganze Gespräch und sein Systemprompt dorthin geschickt; was daraus wird, bestimmt, wer ${host} betreibt. Gespräche mit anderen Modellen bleiben auf diesem Gerät.`,
    add: 'Diesen Server benutzen',
    answers: 'Er antwortet.',
    none: 'Er hat gerade keine Modelle.',
    talk: 'Sprechen',
    check: 'Noch einmal fragen',
    remove: 'Vergessen',
    leaves: (host: string): string => `Die Antworten kommen von ${host}. Was Sie schreiben, geht dorthin.`,
    holds: (tokens: number): string => `Es fasst ${count(tokens)} Tokens Gespräch.`,
    assumed: (tokens: number): string =>
      `Der Server sagt nicht, wie viel er fasst; angenommen werden ${count(tokens)} Tokens. Tokens sind geschätzt.`,
    problems: {
      address: 'Das ist keine Adresse eines Servers',
      insecure: 'Der Weg dorthin ist nicht sicher',
      unknown: 'Dieser Server wurde hier nicht hinzugefügt',
      unreachable: 'Der Server ist nicht zu erreichen',
      key: 'Der Server verlangt einen Schlüssel',
      model: 'Der Server hat dieses Modell nicht',
      busy: 'Der Server ist beschäftigt',
      format: 'Dieser Server spricht eine andere Sprache',
      cut: 'Die Antwort ist unterwegs abgebrochen',
      refused: 'Der Server lehnt das ab',
      failed: 'Der Server hat versagt',
    },
  },

  tabs: {
    title: 'Ein anderer Tab hat das Modell',
    text: 'Immer nur ein Tab führt es aus, damit es einmal im Speicher liegt. Lesen und schreiben kannst du auch hier; für Antworten hol es her.',
    take: 'Hier verwenden',
  },

  welcome: {
    title: 'Ein Chat, der bei dir bleibt',
    promise: 'Läuft auf diesem Gerät. Nichts, was du schreibst, verlässt es.',
    points: [
      'Kein Konto, kein Server: Das Modell antwortet in diesem Tab.',
      'Einmal geladen, geht es ohne Netz.',
      'Deine Unterhaltungen liegen in diesem Browser, und nur dort.',
    ],
    try: 'Sofort ausprobieren',
    pocketName: 'MiniMind2-Small, ein Modell für die Tasche',
    pocketSize: (size) => `${size}, kommt mit dieser Seite`,
    pocketHonest:
      'Es ist winzig, kann zuerst Chinesisch, dann Englisch, und irrt sich oft. Es ist da, damit alles sofort geht.',
    ready: 'Was geht dir durch den Kopf?',
    examples: ['What is the capital of France?', 'Why is the sky blue?', 'Tell me a short story about the sea.'],
    noScript:
      'Das Modell läuft in dieser Seite und braucht dafür JavaScript. Erlaube es für diese Adresse und lade neu.',
  },

  widget,

  settings: {
    name: 'Einstellungen',
    search: 'Einstellungen durchsuchen',
    nothing: 'So heißt keine Einstellung.',
    conversation: 'Diese Unterhaltung',
    conversationNote: 'Sie gelten ab der nächsten Antwort. Ein neuer Chat beginnt mit denen des letzten.',
    presets: 'Vorlage',
    presetNone: 'Keine',
    presetName: 'Name der Vorlage',
    presetSave: 'Als Vorlage speichern',
    presetRemove: 'Diese Vorlage löschen',
    model: 'Modell',
    system: 'System-Prompt',
    systemNote: 'Was dem Modell vor allem anderen gesagt wird.',
    temperature: 'Temperatur',
    temperatureNote: '0 nimmt immer das wahrscheinlichste Wort; mehr ist kühner.',
    topP: 'Top-p',
    topPNote: 'Behält die wahrscheinlichsten Wörter, die zusammen diesen Anteil haben.',
    topK: 'Top-k',
    topKNote: 'Behält so viele der wahrscheinlichsten Wörter; 0 behält alle.',
    minP: 'Min-p',
    minPNote: 'Lässt Wörter weg, die unter diesem Anteil des wahrscheinlichsten liegen.',
    repetitionPenalty: 'Wiederholungsstrafe',
    repetitionPenaltyNote: 'Über 1 werden Wörter, die schon da waren, unwahrscheinlicher.',
    seed: 'Startzahl',
    seedNote: 'Die gleiche Startzahl gibt die gleiche Antwort. Leer: jedes Mal eine andere.',
    maxTokens: 'Längste Antwort',
    maxTokensNote: 'In Tokens.',
    reset: 'Auf Vorgaben zurücksetzen',
    interface: 'Oberfläche',
    language: 'Sprache',
    languageAuto: 'Wie der Browser',
    singleKeys: '«?» zeigt die Tastenkürzel',
    data: 'Deine Unterhaltungen',
    dataNote: 'Sie liegen in diesem Browser. Ein Export ist eine Datei, die dir gehört.',
    exportAll: 'Alle exportieren',
    import: 'Importieren',
    imported: (n) =>
      plural('de', n, {
        one: '1 Unterhaltung wurde importiert.',
        other: `${count(n)} Unterhaltungen wurden importiert.`,
      }),
    importFailed: 'Die Datei wurde nicht importiert',
    device: 'Gerät',
    deviceNote: 'Welche GPU es hat und ob stimmt, was sie rechnet.',
    embed: 'Für die eigene Seite',
    embedNote: 'Ein Tag setzt diesen Chat hinein, auf den Geräten der Besucher.',
    embedMake: 'Den Tag machen',
  },

  keys: {
    name: 'Tastatur',
    show: 'Tastenkürzel',
    newChat: 'Neuer Chat',
    search: 'Unterhaltungen suchen',
    write: 'Eine Nachricht schreiben',
    send: 'Senden',
    line: 'Neue Zeile',
    stop: 'Die Antwort anhalten oder schließen, was offen ist',
    editLast: 'Deine letzte Nachricht bearbeiten (im leeren Feld)',
    regenerate: 'Noch einmal antworten',
    copyLast: 'Die letzte Antwort kopieren',
    older: 'Nächste Unterhaltung',
    newer: 'Vorige Unterhaltung',
    sidebar: 'Unterhaltungen zeigen oder ausblenden',
    settings: 'Einstellungen',
    help: 'Diese Liste',
  },

  errors: {
    kept: 'Was bisher gesagt wurde, ist aufgehoben.',
    context: 'Diese Nachricht ist länger, als das Modell fassen kann',
    lost: 'Die GPU ist verschwunden',
    engine: 'Das Rechenwerk ist ausgefallen',
    source: 'Das Modell konnte nicht gelesen werden',
    model: 'Dieses Modell kann nicht verwendet werden',
    gpu: 'Die GPU kann dieses Modell nicht ausführen',
    other: 'Etwas ging schief',
    again: 'Noch einmal versuchen',
    useCpu: 'Den Prozessor verwenden',
    storage: 'Das konnte nicht gespeichert werden',
    full: 'Auf diesem Gerät ist kein Platz mehr. Lösche, was du nicht mehr brauchst.',
    closed: 'Dieser Browser behält nichts für diese Seite. Exportiere, was dir wichtig ist, bevor du gehst.',
    newer:
      'Das wurde von einer neueren Version von Fireside geschrieben. Lade die Seite neu, um sie zu bekommen; nichts geht verloren.',
    gone: 'Diese Unterhaltung ist nicht hier. Sie wurde gelöscht oder gehört zu einem anderen Browser.',
    startNew: 'Einen neuen Chat beginnen',
  },
};

export default de;
