/**
 * Stands in for escalade/sync in the executable. yargs uses it to look for a package.json in the executable's folder
 * and all those above, and would take settings from the one it finds, whoever put it there; this one never finds any.
 */
export default function findUp(): undefined {
  return undefined;
}
