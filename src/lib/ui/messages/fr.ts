/** Les mots de la page, en français. */
import device from './device/fr';
import type { Messages } from './en';
import models from './models/fr';
import { plural } from './plural';
import widget from './widget/fr';

const count = (n: number): string => n.toLocaleString('fr');

const fr: Messages = {
  close: 'Fermer',
  cancel: 'Annuler',
  save: 'Enregistrer',
  undo: 'Annuler',
  copy: 'Copier',
  copied: 'Copié',
  reload: 'Recharger',
  skip: 'Aller au contenu',

  device,

  sidebar: {
    name: 'Conversations',
    show: 'Afficher les conversations',
    hide: 'Masquer les conversations',
    newChat: 'Nouveau chat',
    search: 'Chercher dans les conversations',
    nothingFound: (words) => `Rien n’a été trouvé pour « ${words} ».`,
    found: (n) =>
      plural('fr', n, { one: `${count(n)} conversation trouvée`, other: `${count(n)} conversations trouvées` }),
    empty: 'Vos conversations apparaîtront ici. Elles restent sur cet appareil.',
    untitled: 'Nouveau chat',
    pinned: 'Épinglées',
    today: 'Aujourd’hui',
    yesterday: 'Hier',
    lastWeek: '7 derniers jours',
    older: 'Plus anciennes',
    actions: (title) => `Plus pour « ${title} »`,
    rename: 'Renommer',
    title: 'Titre',
    pin: 'Épingler',
    unpin: 'Désépingler',
    exportJson: 'Exporter en JSON',
    exportMarkdown: 'Exporter en Markdown',
    remove: 'Supprimer',
    removed: (title) => `« ${title} » a été supprimée.`,
    answering: 'réponse en cours',
    newer: 'd’une version plus récente',
  },

  composer: {
    message: 'Message',
    placeholder: 'Écrivez un message',
    send: 'Envoyer',
    sendKey: 'Envoyer (Entrée)',
    stop: 'Arrêter',
    stopKey: 'Arrêter (Échap)',
    note: 'Les réponses peuvent être fausses. Vérifiez ce qui compte.',
  },

  attach: {
    add: 'Joindre des textes',
    files: 'Textes joints',
    remove: (name: string): string => `Retirer « ${name} »`,
    pasted: 'Texte collé',
    pastedNote: 'Le texte collé est long : il a été joint au message.',
    tooMuch: (n: number, of: number): string =>
      `${count(n)} tokens, plus que le modèle ne peut en contenir (${count(of)})`,
    tooLarge: (name: string, size: string, most: string): string =>
      `« ${name} » fait ${size}. Un texte peut faire ${most}.`,
    noText: (name: string): string =>
      `« ${name} » n’est pas un texte. Le modèle lit des textes : notes, code, tableaux en CSV.`,
    tooMany: (most: number): string => `Un message accepte ${count(most)} fichiers.`,
    drop: 'Déposez ici un texte à interroger, un modèle ou une conversation exportée',
  },

  thread: {
    conversation: 'Conversation',
    you: 'Vous',
    answer: 'Réponse',
    toEnd: 'Au message le plus récent',
    leftWindow: (n) =>
      plural('fr', n, {
        one: 'Le message ci-dessus ne tient plus dans la mémoire du modèle. Il reste ici, mais le modèle ne le voit pas.',
        other: `Les ${count(n)} messages ci-dessus ne tiennent plus dans la mémoire du modèle. Ils restent ici, mais le modèle ne les voit pas.`,
      }),
    responding: 'Répond',
    thinking: 'Réfléchit',
    reading: (percent) => `Lit, ${percent}`,
    thought: (time) => `A réfléchi ${time}`,
    thoughts: 'Réflexions',
    copyCode: 'Copier le code',
    code: 'Code',
  },

  message: {
    actions: 'Que faire de ce message',
    copy: 'Copier le message',
    edit: 'Modifier',
    editQuestion: 'Modifier le message',
    editAnswer: 'Modifier la réponse',
    sendEdit: 'Envoyer',
    regenerate: 'Répondre à nouveau',
    continue: 'Continuer',
    remove: 'Supprimer',
    removed: (n) =>
      plural('fr', n, { one: '1 message a été supprimé.', other: `${count(n)} messages ont été supprimés.` }),
    versions: 'Versions',
    previous: 'Version précédente',
    next: 'Version suivante',
    version: (n, of) => `${count(n)} sur ${count(of)}`,
    edited: 'modifié par vous',
    elsewhere: 'Cette réponse s’écrit dans un autre onglet.',
    brokeOff: 'Cette réponse s’est interrompue. Ce qui est venu est conservé.',
  },

  figures: {
    tokens: (n) => plural('fr', n, { one: `${count(n)} token`, other: `${count(n)} tokens` }),
    rate: (rate) => `${rate} tokens/s`,
    first: (time) => `le premier après ${time}`,
    reused: (n, of) => `${count(n)} tokens du prompt sur ${count(of)} réutilisés`,
    aborted: 'arrêté par vous',
    length: 'coupé : aussi long que les réglages le permettent',
    context: 'coupé : la fenêtre du modèle est pleine',
    explain:
      'Les tokens sont des morceaux de mots. Ceux qui sont réutilisés étaient encore en mémoire et n’ont pas dû être relus.',
  },

  context: {
    used: (used, of) => `${count(used)} tokens de contexte utilisés sur ${count(of)}`,
  },

  model: {
    on: { gpu: 'sur le GPU', cpu: 'sur le processeur' },
    threads: (n) => plural('fr', n, { one: `${count(n)} thread`, other: `${count(n)} threads` }),
    gpu: (adapter) => `Cet appareil a un GPU que WebGPU peut utiliser : ${adapter}.`,
    someGpu: 'Cet appareil a un GPU que WebGPU peut utiliser.',
    askedGpu: 'Vous avez choisi le GPU.',
    askedCpu: 'Vous avez choisi le processeur.',
    noGpu: 'Le navigateur n’offre pas de GPU.',
    softwareGpu:
      'Ici, le GPU du navigateur est imité par logiciel, ce qui est plus lent que d’utiliser directement le processeur.',
    gpuFailed: 'Le GPU n’a pas pu exécuter ce modèle.',
    facts: (size, time, tokens) => `${size}, ouvert en ${time}. Il contient ${count(tokens)} tokens de conversation.`,
    runOn: 'Exécuter sur',
    faster: 'Le plus rapide',
    theGpu: 'GPU',
    theCpu: 'Processeur',
    device: 'Cet appareil',
    models: 'Modèles',
    moreOnDevice: 'En savoir plus sur cet appareil',
  },

  models,

  load: {
    server: 'Le serveur est interrogé sur ses modèles',
    device: 'Cherche un GPU',
    read: (done, total) => `Lit le modèle : ${done} sur ${total}`,
    upload: 'Transmet le modèle au GPU',
    compile: 'Se prépare à répondre',
    progress: 'Le modèle est en cours de lecture',
    recovering: 'Le moteur redémarre',
  },

  server: {
    title: 'Un serveur à vous',
    intro:
      'Un modèle trop grand pour cet appareil peut répondre depuis une autre machine : vLLM, TGI, llama.cpp, Ollama, « fireside serve » ou tout ce qui parle le format d’OpenAI.',
    address: 'Adresse',
    addressNote: 'Par exemple localhost:11434 (Ollama), localhost:8642 (fireside serve) ou https://example.com/v1',
    key: 'Clé',
    keyNote: 'Si le serveur en demande une. Lui seul la reçoit.',
    keep: 'Garder la clé',
    keepTab: 'jusqu’à la fermeture de cet onglet',
    keepDevice: 'sur cet appareil',
    look: 'Demander ses modèles',
    looking: (host: string): string => `${host} est interrogé`,
    found: (host: string, n: number): string =>
      plural('fr', n, { one: `${host} a 1 modèle`, other: `${host} a ${count(n)} modèles` }),
    consentTitle: (host: string): string => `Ce que vous écrivez ira à ${host}`,
    consent: (host: string): string =>
      `À chaque question, toute la conversation et ses consignes y sont envoyées ; ce qu’elles deviennent dépend de qui tient ${host}. Les conversations avec d’autres modèles restent sur cet appareil.`,
    add: 'Utiliser ce serveur',
    answers: 'Il répond.',
    none: 'Il n’a pas de modèle en ce moment.',
    talk: 'Lui parler',
    check: 'Redemander',
    remove: 'Oublier',
    leaves: (host: string): string => `Les réponses viennent de ${host}. Ce que vous écrivez y va.`,
    holds: (tokens: number): string => `Il tient ${count(tokens)} tokens de conversation.`,
    assumed: (tokens: number): string =>
      `Le serveur ne dit pas combien il tient ; ${count(tokens)} tokens sont supposés. Les tokens sont estimés.`,
    problems: {
      address: 'Ce n’est pas l’adresse d’un serveur',
      insecure: 'Le chemin jusque-là n’est pas sûr',
      unknown: 'Ce serveur n’a pas été ajouté ici',
      unreachable: 'Le serveur est injoignable',
      key: 'Le serveur demande une clé',
      model: 'Le serveur n’a pas ce modèle',
      busy: 'Le serveur est occupé',
      format: 'Ce serveur parle une autre langue',
      cut: 'La réponse s’est interrompue en chemin',
      refused: 'Le serveur refuse',
      failed: 'Le serveur a échoué',
    },
  },

  tabs: {
    title: 'Un autre onglet a le modèle',
    text: 'Un seul onglet l’exécute à la fois, pour qu’il ne soit qu’une fois en mémoire. Vous pouvez lire et écrire ici ; pour y obtenir des réponses, reprenez-le.',
    take: 'L’utiliser ici',
  },

  welcome: {
    title: 'Un chat qui reste chez vous',
    promise: 'Fonctionne sur cet appareil. Rien de ce que vous écrivez n’en sort.',
    points: [
      'Ni compte ni serveur : le modèle répond dans cet onglet.',
      'Une fois chargé, il se passe de réseau.',
      'Vos conversations sont gardées dans ce navigateur, et là seulement.',
    ],
    try: 'Essayer tout de suite',
    pocketName: 'MiniMind2-Small, un modèle de poche',
    pocketSize: (size) => `${size}, fourni avec cette page`,
    pocketHonest:
      'Il est minuscule, connaît d’abord le chinois, puis l’anglais, et se trompe souvent. Il est là pour que tout marche tout de suite.',
    ready: 'À quoi pensez-vous ?',
    examples: ['What is the capital of France?', 'Why is the sky blue?', 'Tell me a short story about the sea.'],
    noScript:
      'Le modèle fonctionne dans cette page, qui a besoin de JavaScript. Autorisez-le pour cette adresse, puis rechargez.',
  },

  widget,

  settings: {
    name: 'Réglages',
    search: 'Chercher un réglage',
    nothing: 'Aucun réglage ne porte ce nom.',
    conversation: 'Cette conversation',
    conversationNote: 'Ils valent à partir de la prochaine réponse. Un nouveau chat commence avec ceux du dernier.',
    presets: 'Préréglage',
    presetNone: 'Aucun',
    presetName: 'Nom du préréglage',
    presetSave: 'Enregistrer comme préréglage',
    presetRemove: 'Supprimer ce préréglage',
    model: 'Modèle',
    system: 'Prompt système',
    systemNote: 'Ce qui est dit au modèle avant tout le reste.',
    temperature: 'Température',
    temperatureNote: '0 prend toujours le mot le plus probable ; plus, c’est plus audacieux.',
    topP: 'Top-p',
    topPNote: 'Garde les mots les plus probables qui ont ensemble cette part.',
    topK: 'Top-k',
    topKNote: 'Garde autant des mots les plus probables ; 0 les garde tous.',
    minP: 'Min-p',
    minPNote: 'Écarte les mots moins probables que cette part du plus probable.',
    repetitionPenalty: 'Pénalité de répétition',
    repetitionPenaltyNote: 'Au-dessus de 1, les mots déjà utilisés deviennent moins probables.',
    seed: 'Graine',
    seedNote: 'La même graine donne la même réponse. Vide : une autre à chaque fois.',
    maxTokens: 'Réponse la plus longue',
    maxTokensNote: 'En tokens.',
    reset: 'Rétablir les valeurs par défaut',
    interface: 'Interface',
    language: 'Langue',
    languageAuto: 'Celle du navigateur',
    singleKeys: '« ? » montre les raccourcis clavier',
    data: 'Vos conversations',
    dataNote: 'Elles sont gardées dans ce navigateur. Un export est un fichier qui vous appartient.',
    exportAll: 'Tout exporter',
    import: 'Importer',
    imported: (n) =>
      plural('fr', n, { one: '1 conversation a été importée.', other: `${count(n)} conversations ont été importées.` }),
    importFailed: 'Le fichier n’a pas été importé',
    device: 'Appareil',
    deviceNote: 'Quel GPU il a, et si ce qu’il calcule est juste.',
    embed: 'Pour votre propre page',
    embedNote: 'Une balise y met cette discussion, sur les appareils des visiteurs.',
    embedMake: 'Créer la balise',
  },

  keys: {
    name: 'Clavier',
    show: 'Raccourcis clavier',
    newChat: 'Nouveau chat',
    search: 'Chercher dans les conversations',
    write: 'Écrire un message',
    send: 'Envoyer',
    line: 'Nouvelle ligne',
    stop: 'Arrêter la réponse, ou fermer ce qui est ouvert',
    editLast: 'Modifier votre dernier message (dans un champ vide)',
    regenerate: 'Répondre à nouveau',
    copyLast: 'Copier la dernière réponse',
    older: 'Conversation suivante',
    newer: 'Conversation précédente',
    sidebar: 'Afficher ou masquer les conversations',
    settings: 'Réglages',
    help: 'Cette liste',
  },

  errors: {
    kept: 'Ce qui a été dit est conservé.',
    context: 'Ce message est plus long que ce que le modèle peut contenir',
    lost: 'Le GPU a disparu',
    engine: 'Le moteur est tombé en panne',
    source: 'Le modèle n’a pas pu être lu',
    model: 'Ce modèle ne peut pas être utilisé',
    gpu: 'Le GPU ne peut pas exécuter ce modèle',
    other: 'Quelque chose s’est mal passé',
    again: 'Réessayer',
    useCpu: 'Utiliser le processeur',
    storage: 'Ceci n’a pas pu être enregistré',
    full: 'Il n’y a plus de place sur cet appareil. Supprimez ce dont vous n’avez plus besoin.',
    closed: 'Ce navigateur ne garde rien pour cette page. Exportez ce qui compte avant de partir.',
    newer:
      'Ceci a été écrit par une version plus récente de Fireside. Rechargez la page pour l’obtenir ; rien n’est perdu.',
    gone: 'Cette conversation n’est pas ici. Elle a été supprimée, ou appartient à un autre navigateur.',
    startNew: 'Commencer un nouveau chat',
  },
};

export default fr;
