import { defineFiresideChat } from 'fireside-chat/widget';
import { createApp, h, ref } from 'vue';

defineFiresideChat({ app: document.body.dataset.app });

const Shop = {
  setup() {
    const heard = ref([]);
    const hear = ({ type, detail }) => heard.value.push(`${type} ${detail.role ?? detail.model}`);
    return () =>
      h('main', [
        h('fireside-chat', {
          mode: 'inline',
          greeting: 'Hello from Vue',
          suggestions: ['How are you?'],
          context: () => 'The basket is empty.',
          onReady: hear,
          onMessage: hear,
        }),
        h('p', { id: 'heard' }, heard.value.join(', ')),
      ]);
  },
};

createApp(Shop).mount(document.body.appendChild(document.createElement('div')));
