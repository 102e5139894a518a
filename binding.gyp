{
  # Stands at the root so that `npm install` in a checkout builds the addon. It is left out of the
  # published package, where a root binding.gyp would make npm build what is prebuilt.
  "targets": [
    {
      "target_name": "checkout",
      "type": "none",
      "dependencies": ["native/binding.gyp:spliceway"],
    },
  ],
}
