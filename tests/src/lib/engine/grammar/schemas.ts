/** Schemas as programs ask for them: functions, records, configurations, and each keyword that is held. */
export const SCHEMAS: Readonly<Record<string, unknown>> = {
  weather: {
    type: 'object',
    properties: { city: { type: 'string', description: 'A city' }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city'],
  },
  contact: {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 20 },
      email: { type: 'string', format: 'email' },
      phone: { type: ['string', 'null'], pattern: '^\\+?[0-9 ()-]{5,20}$' },
    },
    required: ['name', 'email', 'phone'],
    additionalProperties: false,
  },
  event: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      start: { type: 'string', format: 'date-time' },
      day: { format: 'date', type: 'string' },
      at: { type: 'string', format: 'time' },
      attendees: { type: 'array', items: { $ref: '#/$defs/person' }, minItems: 1, maxItems: 3 },
    },
    required: ['title', 'start', 'day', 'at', 'attendees'],
    $defs: { person: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
  },
  tree: {
    $ref: '#/definitions/node',
    definitions: {
      node: {
        type: 'object',
        properties: {
          value: { type: 'integer' },
          children: { type: 'array', items: { $ref: '#/definitions/node' }, maxItems: 2 },
        },
        required: ['value'],
      },
    },
  },
  list: {
    type: 'object',
    properties: { value: { type: 'boolean' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['value', 'next'],
  },
  steps: {
    type: 'object',
    properties: {
      steps: {
        type: 'array',
        items: {
          type: 'object',
          properties: { explanation: { type: 'string' }, output: { type: 'string' } },
          required: ['explanation', 'output'],
          additionalProperties: false,
        },
      },
      final_answer: { type: 'string' },
    },
    required: ['steps', 'final_answer'],
    additionalProperties: false,
  },
  moderation: {
    type: 'object',
    properties: {
      flagged: { type: 'boolean' },
      score: { type: 'number', minimum: 0, maximum: 1 },
      category: { type: ['string', 'null'], enum: ['violence', 'spam', null] },
    },
    required: ['flagged', 'score', 'category'],
  },
  ui: {
    type: 'object',
    properties: {
      type: { enum: ['div', 'button'] },
      label: { type: 'string' },
      children: { type: 'array', items: { $ref: '#' }, maxItems: 2 },
      attributes: {
        type: 'array',
        maxItems: 2,
        items: {
          type: 'object',
          properties: { name: { type: 'string' }, value: { type: 'string' } },
          required: ['name', 'value'],
        },
      },
    },
    required: ['type', 'label', 'children', 'attributes'],
    additionalProperties: false,
  },
  rating: { type: 'integer', minimum: 1, maximum: 5 },
  temperature: { type: 'number', minimum: -273.15, exclusiveMaximum: 1000.5 },
  negative: { type: 'integer', minimum: -1203, maximum: -37 },
  across: { type: 'integer', exclusiveMinimum: -105, exclusiveMaximum: 99 },
  narrow: { type: 'number', exclusiveMinimum: 0.5, maximum: 0.75 },
  even: { type: 'integer', multipleOf: 7, minimum: -50, maximum: 200 },
  hundreds: { type: 'integer', multipleOf: 100, minimum: 0 },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  uuid: { type: 'string', format: 'uuid' },
  address: {
    type: 'array',
    items: {
      anyOf: [
        { type: 'string', format: 'ipv4' },
        { type: 'string', format: 'ipv6' },
        { type: 'string', format: 'hostname' },
        { type: 'string', format: 'uri' },
      ],
    },
    minItems: 1,
    maxItems: 4,
  },
  durations: { type: 'array', items: { type: 'string', format: 'duration' }, minItems: 2, maxItems: 2 },
  semver: {
    type: 'string',
    pattern: '^(0|[1-9]\\d{0,3})\\.(0|[1-9]\\d{0,3})\\.(0|[1-9]\\d{0,3})(-[0-9A-Za-z.-]{1,10})?$',
  },
  escapes: { type: 'string', pattern: '^["\\\\/]{2}[^a-z]{1,3}\\s\\S$' },
  anywhere: { type: 'string', pattern: '^ab+c|^x' },
  bounded: { type: 'string', minLength: 3, maxLength: 5 },
  tuple: {
    type: 'array',
    prefixItems: [{ type: 'number' }, { type: 'string' }, { enum: ['N', 'S'] }],
    items: false,
    minItems: 2,
  },
  draft4tuple: {
    type: 'array',
    items: [{ type: 'integer' }, { type: 'boolean' }],
    additionalItems: { type: 'null' },
    minItems: 3,
    maxItems: 4,
  },
  tags: {
    type: 'array',
    items: { enum: ['red', 'green', 'blue', 'black'] },
    uniqueItems: true,
    minItems: 1,
    maxItems: 3,
  },
  map: { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 1, maxProperties: 3 },
  mapWithNames: {
    type: 'object',
    properties: { id: { type: 'integer' }, 'id"x': { type: 'null' }, i: { type: 'boolean' } },
    required: ['id'],
    additionalProperties: { type: 'string' },
  },
  patterns: {
    type: 'object',
    patternProperties: { '^x-[a-z]{1,5}$': { type: 'boolean' } },
    additionalProperties: false,
  },
  atLeast: {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'integer' }, c: { type: 'integer' } },
    minProperties: 2,
    maxProperties: 2,
  },
  shape: {
    oneOf: [
      {
        type: 'object',
        properties: { kind: { const: 'circle' }, radius: { type: 'number', exclusiveMinimum: 0 } },
        required: ['kind', 'radius'],
      },
      {
        type: 'object',
        properties: { kind: { const: 'square' }, side: { type: 'number', minimum: 0.1 } },
        required: ['kind', 'side'],
      },
      { type: 'string', maxLength: 10 },
    ],
  },
  merged: {
    allOf: [{ $ref: '#/$defs/base' }, { properties: { size: { type: 'integer', maximum: 9 } }, required: ['size'] }],
    $defs: {
      base: {
        type: 'object',
        properties: { id: { type: 'string', maxLength: 8 }, size: { type: 'integer', minimum: 2 } },
        required: ['id'],
      },
    },
  },
  required: {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  payment: {
    type: 'object',
    properties: {
      amount: { type: 'number', multipleOf: 0.01, minimum: 0, maximum: 1000 },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      method: {
        oneOf: [
          {
            type: 'object',
            properties: { card: { type: 'string', pattern: '^\\d{4}$' } },
            required: ['card'],
            additionalProperties: false,
          },
          {
            type: 'object',
            properties: { iban: { type: 'string', pattern: '^[A-Z]{2}\\d{2}$' } },
            required: ['iban'],
            additionalProperties: false,
          },
        ],
      },
    },
    required: ['amount', 'currency', 'method'],
  },
  anything: {},
  object: { type: 'object' },
  constant: { const: { a: [1, null, 'é"\\\n'], b: { c: -0.5 } } },
  mixed: { enum: ['a', 1, null, true, { x: 1 }, [2]] },
};
