/** Ce qui est dit des modèles, en français. */
import { plural } from '../plural';
import type { ModelWords } from './en';

const count = (n: number): string => n.toLocaleString('fr');

const models: ModelWords = {
  intro: 'Un modèle est un fichier que ce navigateur conserve. Une fois ici, il répond sans réseau.',
  onDevice: 'Sur cet appareil',
  none: 'Pas encore de modèle',
  noneNote: 'Le petit modèle livré avec l’application est toujours là. Un plus grand en sait bien davantage.',
  loading: 'Regarde ce qui est ici',
  chat: 'Discuter',
  chatWith: (name) => `Discuter avec ${name}`,
  more: (name) => `Plus pour ${name}`,
  check: 'Vérifier chaque octet',
  checking: (name) => `${name} est en cours de vérification.`,
  checked: (name) => `${name} est entier : chaque octet est ce qu’il doit être.`,
  notWhole: (name) => `Des parties de ${name} manquent ou ont changé. « Réparer » ne télécharge que celles-là.`,
  files: 'Fichiers',
  pause: 'Pause',
  pauseOf: (name) => `Mettre ${name} en pause`,
  resume: 'Reprendre',
  resumeOf: (name) => `Reprendre ${name}`,
  repair: 'Réparer',
  remove: 'Supprimer',
  removeOf: (name) => `Supprimer ${name}`,
  removeSure: (name, size) => `${size} seront libérés. Pour reparler à ${name}, il faudrait le télécharger de nouveau.`,
  removed: (name) => `${name} a été supprimé.`,
  local: 'd’un fichier à vous',
  progress: (name) => `Part de ${name} déjà ici`,
  part: (done, all) => `${done} sur ${all}`,
  pace: (rate) => `${rate} par seconde`,
  status: {
    queued: 'Attend son tour',
    checking: 'Vérification en cours',
    paused: 'En pause',
    network: 'Attend le réseau et reprend tout seul',
    busy: 'Le serveur demande d’attendre ; cela reprend tout seul',
    broken: 'Le serveur a des difficultés ; nouvel essai en cours',
  },
  failed: {
    address: 'Ce n’est pas l’adresse d’un modèle',
    'not-found': 'Ce modèle n’existe pas',
    gated: 'L’éditeur veut d’abord être consulté',
    token: 'Le jeton n’a pas été accepté',
    network: 'Personne ne répond',
    server: 'Le serveur a des difficultés',
    'wrong-bytes': 'Ce qui est venu n’est pas ce qui était promis',
    quota: 'Il n’y a plus de place',
    unavailable: 'Rien ne peut être conservé ici',
    outdated: 'Cette page est plus ancienne qu’une autre',
    damaged: 'Il en manque des parties',
    missing: 'Il n’est pas ici',
    files: 'Ces fichiers ne font pas un modèle entier',
    unknown: 'Cela n’a pas marché',
  },
  left: {
    seconds: 'encore quelques secondes',
    someSeconds: (n) => `encore ${count(n)} secondes environ`,
    minutes: (n) => plural('fr', n, { one: 'encore une minute environ', other: `encore ${count(n)} minutes environ` }),
    hours: (n) => plural('fr', n, { one: 'encore une heure environ', other: `encore ${count(n)} heures environ` }),
  },

  evicted: {
    title: 'Le navigateur a effacé des modèles',
    text: (names) =>
      `${names} : le disque était presque plein, ou cette page n’a pas servi depuis longtemps. Vos conversations sont conservées à part. Reprenez ceux qu’il vous faut.`,
    dismiss: 'D’accord',
  },

  add: {
    title: 'À partir d’un lien ou d’un fichier',
    label: 'Nom ou lien d’un modèle',
    note: 'Un lien vers Hugging Face ou un autre hub, éditeur/nom, ou l’adresse d’un fichier GGUF.',
    look: 'Voir',
    looking: 'Regarde ce qu’il y a',
    choices: 'Ce qu’il y a',
    get: 'Télécharger',
    getOf: (name) => `Télécharger ${name}`,
    best: 'convient le mieux ici',
    gated:
      'L’éditeur demande d’abord d’accepter ses conditions : sur sa page, avec un compte. Donnez ensuite un jeton plus bas.',
    passedOver: (n) =>
      plural('fr', n, {
        one: '1 fichier ne peut pas servir',
        other: `${count(n)} fichiers ne peuvent pas servir`,
      }),
    or: 'Ou prenez-en un sur cet appareil : déposez-le n’importe où sur cette page, ou',
    file: 'Choisir un fichier',
    folder: 'Choisir un dossier',
    drop: 'Déposez ici un modèle ou une conversation exportée',
    notKnown:
      'Fireside prend des modèles (un fichier .gguf, ou un dossier avec .safetensors) et des conversations exportées (.json).',
    importInChat: 'Une conversation exportée s’importe sur la page de discussion : déposez-la là.',
  },

  catalogue: {
    title: 'Modèles à télécharger',
    note: 'Chacun vient de son éditeur. Tailles et vitesses sont des estimations pour cet appareil.',
    recommended: 'Recommandé ici',
    by: (publisher) => `de ${publisher}`,
    asking: 'Interroge le hub',
    account: 'demande un compte auprès du hub',
    atContext: (tokens) => `avec ${count(tokens)} jetons de conversation`,
    many: 'cent langues et plus',
    about: (size) => `environ ${size}`,
    speed: 'Vitesse',
    upTo: (rate) => `au plus ${rate} jetons par seconde`,
    all: (n) => `Montrer les ${count(n)}`,
    memory: 'Mémoire',
  },

  fit: {
    well: 'Tourne bien ici',
    slowly: 'Tourne lentement ici',
    no: 'Ne tourne pas ici',
    'no-room': 'Il lui faut plus de place que cette page n’en a encore sur le disque.',
    memory: (have) => `Il lui faut plus de mémoire qu’une page n’en obtient ici, soit environ ${have}.`,
    'no-gpu': 'Il n’y a pas de GPU pour calculer : le processeur répond, plus lentement.',
    'too-old': 'Il n’y a pas de GPU pour calculer, et ce navigateur est trop ancien pour s’en passer.',
    'software-gpu': 'Le GPU est imité ici par un logiciel : le processeur répond, plus lentement.',
    'safetensors-need-gpu': 'Sans GPU, seuls les fichiers GGUF tournent.',
    slow: 'Ses mots viennent plus lentement qu’on ne lit.',
    'short-context': (tokens) =>
      `La mémoire suffit à des conversations de ${count(tokens)} jetons, pas à de plus longues.`,
  },

  storage: {
    title: 'Espace',
    used: (size) => `${size} de modèles`,
    free: (size) => `${size} libres pour cette page`,
    parts: 'Place que prennent les modèles',
    kept: 'Le navigateur les garde jusqu’à ce que vous les supprimiez.',
    notKept: 'Le navigateur peut les effacer quand le disque est plein.',
    unknown: 'Le navigateur ne dit pas s’il les garde quand le disque est plein.',
    ask: 'Lui demander de les garder',
    refused:
      'Le navigateur refuse pour le moment. Il accepte en général quand l’application est installée ou sert souvent.',
    removeAll: 'Supprimer tous les modèles',
    removeAllSure: (size) => `${size} seront libérés. Vos conversations restent.`,
    removedAll: 'Tous les modèles ont été supprimés.',
  },

  hub: {
    title: 'Hub',
    note: 'Là où les modèles sont cherchés par leur nom. Il apprend lequel vous téléchargez, et rien d’autre.',
    address: 'Adresse',
    token: 'Jeton d’accès',
    tokenNote: 'Pour les modèles dont l’éditeur demande un compte. Il n’est envoyé qu’à ce hub.',
    keep: 'Garder le jeton d’accès',
    page: 'jusqu’à la fermeture de cette page',
    device: 'sur cet appareil',
    saved: 'Enregistré.',
  },

  chatBar: {
    arrived: (name) => `${name} est là.`,
    use: 'L’utiliser ici',
    later: 'Pas maintenant',
    waiting: 'Attend le modèle',
    coming: (percent) => `en route, ${percent}`,
    notHere: 'pas sur cet appareil',
    goneTitle: 'Le modèle de cette conversation n’est pas sur cet appareil',
    gone: (name) =>
      `${name} a été supprimé, ou n’a jamais été ici. Choisissez-en un autre pour continuer ; rien de ce qui a été dit n’est perdu.`,
    comingTitle: (name) => `${name} est encore en route`,
    comingText: 'Ce que vous envoyez l’attend.',
    useInstead: (name) => `Utiliser ${name}`,
    more: 'Télécharger d’autres modèles',
    which: 'Modèle',
  },

  welcome: {
    get: (name) => `Télécharger ${name}`,
    size: (size) => `environ ${size}, une seule fois`,
    onItsWay: 'Il est en route : vous le voyez plus bas. En attendant, vous pouvez parler au petit modèle.',
    offline: 'Vous êtes hors ligne. Le petit modèle marche sans réseau.',
    others: 'Autres modèles',
  },

  goodFor: {
    'smollm2-135m': 'Pour essayer, sur le plus petit appareil. Il fait des erreurs.',
    'gemma-3-270m': 'Suivre de courtes consignes : trier, extraire, reformuler une phrase.',
    'smollm2-360m': 'Réponses courtes et reformulation, sur téléphone aussi.',
    'qwen2.5-0.5b': 'Réponses courtes en de nombreuses langues.',
    'tinyllama-1.1b': 'Conversations courtes ; un modèle plus ancien auquel on compare beaucoup d’autres.',
    'qwen3-0.6b': 'Réfléchit avant de répondre, en de nombreuses langues, avec peu de mémoire.',
    'llama-3.2-1b': 'Résumés et conversations, textes longs aussi.',
    'gemma-3-1b': 'Conversations et rédaction en anglais.',
    'qwen2.5-1.5b': 'Conversations, réponses structurées et code simple.',
    'smollm2-1.7b': 'Conversations, résumés et reformulation en anglais.',
    'qwen3-1.7b': 'Réfléchit avant de répondre : calcul, code, outils, en de nombreuses langues.',
    'phi-3.5-mini': 'Raisonnement et textes longs, sur un appareil qui a beaucoup de mémoire.',
    'smollm3-3b': 'Réflexion, outils et textes longs en six langues.',
  },
};

export default models;
