/**
 * What a cmdlet's parameter is, and the parameters that several cmdlets share, so that the same word means the same thing
 * everywhere (design page 4, rules 1 to 3). Leaves out help texts: they stand in the functions, for people to read.
 */

/** A parameter's type as `[CmdletBinding()]` functions spell it; no custom types, so binding works in every language mode. */
export type ParameterType =
  | 'string'
  | 'string[]'
  | 'switch'
  | 'int'
  | 'datetime'
  | 'securestring'
  | 'System.Security.Cryptography.X509Certificates.X509Certificate2';

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly mandatory: boolean;
  /** Bound by place; absent: by name only. */
  readonly position?: number;
  readonly fromPipeline: boolean;
  readonly fromPipelineByPropertyName: boolean;
  /** The parameter sets that have it; empty: all. */
  readonly sets: readonly string[];
  readonly aliases: readonly string[];
  /** The only values allowed; empty: any. */
  readonly values: readonly string[];
}

type Traits = Partial<Omit<Parameter, 'name' | 'type'>>;

/** A parameter with the traits given; everything else is off. */
export function parameter(name: string, type: ParameterType, traits: Traits = {}): Parameter {
  return {
    name,
    type,
    mandatory: false,
    fromPipeline: false,
    fromPipelineByPropertyName: false,
    sets: [],
    aliases: [],
    values: [],
    ...traits,
  };
}

/** An input file: `-Path` takes wildcards and pipes, `-LiteralPath` is its twin (rule 1). Both are `string[]`. */
export function inputFile(): readonly Parameter[] {
  return [
    parameter('Path', 'string[]', {
      mandatory: true,
      position: 0,
      fromPipeline: true,
      fromPipelineByPropertyName: true,
      sets: ['Path'],
    }),
    parameter('LiteralPath', 'string[]', {
      mandatory: true,
      fromPipelineByPropertyName: true,
      sets: ['LiteralPath'],
      aliases: ['PSPath', 'FullName'],
    }),
  ];
}

/** An output file or folder: neither wildcards nor pipe (rule 1). */
export const outputPath = parameter('Path', 'string', { mandatory: true, position: 0 });

/** `-Force` skips prompts and overwrites files, and nothing else (rule 2). */
export const force = parameter('Force', 'switch');
export const password = parameter('Password', 'securestring');
export const newPassword = parameter('NewPassword', 'securestring');
export const ownerPassword = parameter('OwnerPassword', 'securestring');
/** Where a backup of the Owner Password is written. */
export const ownerPasswordBackupPath = parameter('OwnerPasswordBackupPath', 'string');
/** Such a backup, used instead of the Owner Password. */
export const ownerPasswordFile = parameter('OwnerPasswordFile', 'string');
/** What a new password must be, beyond what every password must be. */
export const passwordRules: readonly Parameter[] = [
  parameter('MinimumLength', 'int'),
  parameter('RequireComplexity', 'switch'),
];
export const allowServiceAccount = parameter('AllowServiceAccount', 'switch');

/** What output objects carry under the parameter's own name, so that the next cmdlet binds it. */
export function piped(name: string, type: ParameterType, traits: Traits = {}): Parameter {
  return parameter(name, type, { fromPipelineByPropertyName: true, ...traits });
}

/** The answer to a challenge, and by what the owner knows the TPM that gave it. Other names than an identity's own fields. */
export const attestation: readonly Parameter[] = [
  piped('AttestationPath', 'string'),
  piped('EndorsementKeyFingerprint', 'string'),
  parameter('TpmManufacturerPath', 'string[]'),
];

export const features = ['SecureEmail', 'Efs', 'SecureDrive'] as const;
