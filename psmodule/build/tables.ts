/**
 * The head of the built `.psm1`: what the functions need from the schema and the error catalogue, as PowerShell literals.
 */
import { errorCatalogue, errorClasses } from '../../core/src/domain/error-catalogue.ts';
import { endingErrors, moduleErrors } from '../schema/errors.ts';
import {
  doneEvents,
  eventNumbers,
  eventProperties,
  faultCategories,
  notDoneEvents,
} from '../schema/events.ts';
import { propertyName, resultTypes, type FieldKind, type ResultType } from '../schema/results.ts';

/** A single-quoted PowerShell string, in which nothing is expanded. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function renderTables(version: string): string {
  return `# SPMigration ${version}. Built from psmodule/ of its repository; nothing happens when it is imported.

Set-StrictMode -Version 3.0

$script:ModuleBase = $PSScriptRoot
$script:ModuleVersion = ${quote(version)}

# Properties of result types: \`:date\`, \`:texts\` and \`:numbers\` for lists of them, a type's name for a list of its objects, or plain.
# Text, and read when a type is first met: large tables of tables are what makes a module slow to import.
$script:ResultTypes = @{
${Object.entries(resultTypes).map(renderType).join('\n')}
}

# Errors after which the next item of a pipeline would fail in the same way.
$script:EndingErrors = -split ${quote(endingErrors.join(' '))}

# Events: the number of each operation, properties of results that are told, categories of errors that are faults.
$script:DoneEvents = ${doneEvents}
$script:NotDoneEvents = ${notDoneEvents}
$script:EventNumbers = ${quote(
    Object.entries(eventNumbers)
      .map(([name, number]) => `${name}=${String(number)}`)
      .join(' '),
  )}
$script:EventProperties = ${quote(eventProperties.join(' '))}
$script:FaultCategories = ${quote(faultCategories.join(' '))}

# The catalogue's words for errors that this module finds by itself.
function Get-SPErrorText {
    param(
        [string]
        $Code
    )
    switch ($Code) {
${moduleErrors.map(renderError).join('\n')}
    }
}
`;
}

function renderType([name, type]: readonly [string, ResultType]): string {
  const fields = Object.entries(type.fields).map(([field, kind]) => propertyName(field) + conversion(kind));
  return `    ${name} = ${quote(fields.join(' '))}`;
}

function conversion(kind: FieldKind): string {
  switch (kind) {
    case 'text':
    case 'number':
    case 'boolean':
      return '';
    case 'date':
    case 'texts':
    case 'numbers':
      return `:${kind}`;
    default:
      return `:${kind.of}`;
  }
}

function renderError(code: (typeof moduleErrors)[number]): string {
  const { class: errorClass, message, hint } = errorCatalogue[code];
  return [
    `        ${quote(code)} {`,
    '            return @{',
    `                Category = ${quote(errorClasses[errorClass].category)}`,
    `                Message  = ${quote(message)}`,
    `                Hint     = ${quote(hint)}`,
    '            }',
    '        }',
  ].join('\n');
}
