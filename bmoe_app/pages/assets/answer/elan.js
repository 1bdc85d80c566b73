// Corrections as an annotation file of ELAN: EAF 3.0, a tier a person; where events overlap, a further tier.

function xml(text) {
  // characters that XML 1.0 cannot hold at all are left out
  const allowed = String(text).replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
  return allowed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

// Tiers in which no two events overlap, as ELAN wants them.
function tiersOf(events) {
  const tiers = new Map();
  for (const event of [...events].sort((a, b) => a.person - b.person || a.start - b.start)) {
    for (let n = 1; ; n++) {
      const name = `person ${event.person}${n > 1 ? ` (${n})` : ''}`;
      const tier = tiers.get(name) ?? [];
      if (tier.length && tier.at(-1).end > event.start) continue;
      tiers.set(name, [...tier, event]);
      break;
    }
  }
  return tiers;
}

const MIME_TYPES = { mp4: 'video/mp4', m4v: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm', mpg: 'video/mpeg' };

function toEaf(video, href, events) {
  const slots = [];
  const slot = (seconds) => {
    slots.push(`    <TIME_SLOT TIME_SLOT_ID="ts${slots.length + 1}" TIME_VALUE="${Math.round(seconds * 1000)}"/>`);
    return `ts${slots.length}`;
  };
  let count = 0;
  const tiers = [...tiersOf(events)].map(([name, members]) => {
    const annotations = members.map((event) => {
      count += 1;
      return (
        `    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${count}" TIME_SLOT_REF1="${slot(event.start)}" ` +
        `TIME_SLOT_REF2="${slot(event.end)}"><ANNOTATION_VALUE>${xml(event.label)}</ANNOTATION_VALUE>` +
        '</ALIGNABLE_ANNOTATION></ANNOTATION>'
      );
    });
    return `  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="${name}">\n${annotations.join('\n')}\n  </TIER>`;
  });
  const mime = MIME_TYPES[video.split('.').at(-1).toLowerCase()] ?? 'video/unknown';
  const media = href
    ? `    <MEDIA_DESCRIPTOR MEDIA_URL="${xml(new URL(href, location.href).href)}" RELATIVE_MEDIA_URL="${xml(href)}" MIME_TYPE="${mime}"/>\n`
    : '';
  return `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="${new Date().toISOString().replace(/\.\d+Z/, '+00:00')}" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
${media}    <PROPERTY NAME="lastUsedAnnotationId">${count}</PROPERTY>
  </HEADER>
  <TIME_ORDER>
${slots.join('\n')}
  </TIME_ORDER>
${tiers.join('\n')}
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
`;
}
