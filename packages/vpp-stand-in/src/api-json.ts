/** Definitions in the form of VPP's *.api.json, enough to build and read two calls. */
const BUILT_IN: readonly unknown[] = [
  {
    module: 'memclnt',
    types: [],
    unions: [],
    enums: [],
    enumflags: [],
    aliases: {},
    messages: [
      ['control_ping', ['u16', '_vl_msg_id'], ['u32', 'client_index'], ['u32', 'context'], { crc: '0x51077d14' }],
      [
        'control_ping_reply',
        ['u16', '_vl_msg_id'],
        ['u32', 'context'],
        ['i32', 'retval'],
        ['u32', 'client_index'],
        ['u32', 'vpe_pid'],
        { crc: '0xf6b0b8ca' },
      ],
    ],
    services: { control_ping: { reply: 'control_ping_reply' } },
    options: { version: '2.1.0' },
  },
  {
    module: 'vpe',
    types: [],
    unions: [],
    enums: [],
    enumflags: [],
    aliases: {},
    messages: [
      ['show_version', ['u16', '_vl_msg_id'], ['u32', 'client_index'], ['u32', 'context'], { crc: '0x51077d14' }],
      [
        'show_version_reply',
        ['u16', '_vl_msg_id'],
        ['u32', 'context'],
        ['i32', 'retval'],
        ['string', 'program', 32],
        ['string', 'version', 32],
        ['string', 'build_date', 32],
        ['string', 'build_directory', 256],
        { crc: '0xc919bde1' },
      ],
    ],
    services: { show_version: { reply: 'show_version_reply' } },
    options: { version: '1.7.0' },
  },
];

/** The text of get_api_json: one array of definition files. */
export function apiJsonText(files: readonly unknown[] = BUILT_IN): string {
  return `[\n${files.map((file) => JSON.stringify(file)).join(',')}]`;
}
