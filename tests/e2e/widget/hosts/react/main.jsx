import { defineFiresideChat } from 'fireside-chat/widget';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

defineFiresideChat({ app: document.body.dataset.app });

function Shop() {
  const [heard, setHeard] = useState([]);
  const hear = ({ type, detail }) => setHeard((before) => [...before, `${type} ${detail.role ?? detail.model}`]);
  return (
    <main>
      <fireside-chat
        mode="inline"
        greeting="Hello from React"
        suggestions={['How are you?']}
        context={() => 'The basket is empty.'}
        onready={hear}
        onmessage={hear}
      />
      <p id="heard">{heard.join(', ')}</p>
    </main>
  );
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<Shop />);
