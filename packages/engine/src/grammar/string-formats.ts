const label = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?'
const host = `${label}(?:\\.${label}){0,4}\\.[a-z]{2,8}`
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
// Every day of it is in every year.
const date =
  '\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))'
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)'
const clock = 'T(?:\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}S)'
const days = '(?:\\d{1,4}Y(?:\\d{1,4}M(?:\\d{1,4}D)?)?|\\d{1,4}M(?:\\d{1,4}D)?|\\d{1,4}D)'

/** Formats of strings that are kept to, as expressions of some texts that have them. */
export const stringFormats: Readonly<Record<string, string>> = {
  date: `^${date}$`,
  time: `^${time}$`,
  'date-time': `^${date}T${time}$`,
  duration: `^P(?:${days}(?:${clock})?|${clock}|\\d{1,4}W)$`,
  email: `^[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,16}){0,3}@${host}$`,
  hostname: `^${host}$`,
  ipv4: `^${octet}(?:\\.${octet}){3}$`,
  ipv6: '^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$',
  uri: `^https?://${host}(?:/[A-Za-z0-9._~-]{0,32}){0,8}(?:\\?[a-z0-9_]{1,16}=[A-Za-z0-9._~-]{0,32})?$`,
  uuid: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
}

/** Patterns that zod writes beside a format, which look around: all that we make of the format matches them. */
export const formatPatterns: Readonly<Record<string, readonly string[]>> = {
  duration: [String.raw`^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$`],
  hostname: [
    String.raw`^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\.?$`,
  ],
}
