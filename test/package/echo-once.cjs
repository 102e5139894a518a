// One connection there and back, with whichever copy of the package it is given.

module.exports = async function echoOnce({ dial, listen }) {
  const listener = await listen('tcp', '127.0.0.1:0');
  const [near, far] = await Promise.all([dial('tcp', listener.addr.toString()), listener.accept()]);
  await near.write('echo');
  await far.write(await far.read());
  const bytes = await near.read();
  for (const handle of [near, far, listener]) handle.close();
  console.log(bytes.toString());
};
