import { expect, test } from 'vitest';
import { policyFor, tagFor } from '$lib/widget/embed/tag';

test('a tag has what was asked for, and nothing can leave its attribute', () => {
  const attributes = { model: 'pocket', system: '', greeting: '"><script>x</script> & more' };
  expect(tagFor('https://chat.example/a/', { attributes, look: { accent: '#0a5' } })).toBe(
    `<script src="https://chat.example/a/widget.js" type="module"></script>
<style>
  fireside-chat {
    --fireside-accent: #0a5;
  }
</style>
<fireside-chat
  model="pocket"
  greeting="&quot;>&lt;script>x&lt;/script> &amp; more"
></fireside-chat>`,
  );
  expect(tagFor('https://chat.example/', { attributes: {}, look: {} })).toBe(
    '<script src="https://chat.example/widget.js" type="module"></script>\n<fireside-chat></fireside-chat>',
  );
});

test('a policy names the origin alone', () => {
  expect(policyFor('https://chat.example/a/')).toBe('script-src https://chat.example; frame-src https://chat.example');
});
