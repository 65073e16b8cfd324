/**
 * The format views: for each result type a table of its most telling columns, and a list of everything. Dates are shown
 * in UTC with a Z, as they are compared; long values wrap instead of being cut.
 */
import {
  propertyName,
  resultTypes,
  type Column,
  type FieldKind,
  type ResultType,
} from '../schema/results.ts';

export function renderFormats(): string {
  const views = Object.entries(resultTypes).flatMap(([name, type]) =>
    type.listFirst === true ? [list(name, type), table(name, type)] : [table(name, type), list(name, type)],
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<Configuration>
  <ViewDefinitions>
${views.join('\n')}
  </ViewDefinitions>
</Configuration>
`;
}

function table(name: string, type: ResultType): string {
  return view(
    name,
    `      <TableControl>
        <TableHeaders>
${type.columns.map(header).join('\n')}
        </TableHeaders>
        <TableRowEntries>
          <TableRowEntry>
            <Wrap />
            <TableColumnItems>
${type.columns.map(({ property }) => `              <TableColumnItem>${shown(type, property)}</TableColumnItem>`).join('\n')}
            </TableColumnItems>
          </TableRowEntry>
        </TableRowEntries>
      </TableControl>`,
  );
}

function list(name: string, type: ResultType): string {
  const items = Object.keys(type.fields)
    .map(propertyName)
    .map(
      (property) => `              <ListItem><Label>${property}</Label>${shown(type, property)}</ListItem>`,
    );
  return view(
    name,
    `      <ListControl>
        <ListEntries>
          <ListEntry>
            <ListItems>
${items.join('\n')}
            </ListItems>
          </ListEntry>
        </ListEntries>
      </ListControl>`,
  );
}

function view(name: string, control: string): string {
  return `    <View>
      <Name>SPMigration.${name}</Name>
      <ViewSelectedBy><TypeName>SPMigration.${name}</TypeName></ViewSelectedBy>
${control}
    </View>`;
}

function header({ property, label = property, width, align }: Column): string {
  const parts = [
    `<Label>${label}</Label>`,
    width === undefined ? '' : `<Width>${width}</Width>`,
    align === undefined ? '' : `<Alignment>${align}</Alignment>`,
  ];
  return `          <TableColumnHeader>${parts.join('')}</TableColumnHeader>`;
}

function shown(type: ResultType, property: string): string {
  const script = scriptFor(kindOf(type, property), property);
  return script === undefined
    ? `<PropertyName>${property}</PropertyName>`
    : `<ScriptBlock>${script}</ScriptBlock>`;
}

/** @throws Error if a column shows a property that its type does not have. */
function kindOf(type: ResultType, property: string): FieldKind {
  const found = Object.entries(type.fields).find(([field]) => propertyName(field) === property);
  if (found === undefined) throw new Error(`a view shows ${property}, which its type does not have`);
  return found[1];
}

function scriptFor(kind: FieldKind, property: string): string | undefined {
  switch (kind) {
    case 'text':
    case 'number':
    case 'boolean':
      return undefined;
    case 'date':
      return `if ($null -ne $_.${property}) { $_.${property}.ToString('u', [System.Globalization.CultureInfo]::InvariantCulture) }`;
    case 'numbers':
    case 'texts':
      // Reasons are sentences: one below the other.
      return `$_.${property} -join ${property === 'Reasons' ? '[System.Environment]::NewLine' : "', '"}`;
    default:
      return `'{0}, see the property ${property}' -f $_.${property}.Count`;
  }
}
