# A result of the core as an object for people and pipelines: its type name, its properties in the order of the schema, dates
# as UTC [datetime], lists as arrays.
function ConvertTo-SPObject {
    param(
        [Parameter(Mandatory)]
        [string]
        $Type,

        [Parameter(Mandatory)]
        [hashtable]
        $Value
    )
    $properties = [ordered]@{}
    foreach ($field in (Get-SPResultType -Name $Type).GetEnumerator()) {
        $from = $Value[$field.Key]
        $kind = $field.Value
        if ($kind -eq 'date') {
            if ($null -ne $from) {
                $from = [datetime]::Parse($from, [System.Globalization.CultureInfo]::InvariantCulture,
                    [System.Globalization.DateTimeStyles]::AdjustToUniversal)
            }
        } elseif ($kind -eq 'texts') {
            $from = [string[]]@(foreach ($item in $from) {
                    $item
                })
        } elseif ($kind -ne 'plain') {
            $from = @(foreach ($item in $from) {
                    ConvertTo-SPObject -Type $kind -Value $item
                })
        }
        $properties[$field.Key] = $from
    }
    $object = [pscustomobject]$properties
    $object.PSObject.TypeNames.Insert(0, "SPMigration.$Type")
    return $object
}

# The properties of a type and how each is converted; read once.
function Get-SPResultType {
    param(
        [Parameter(Mandatory)]
        [string]
        $Name
    )
    $type = $script:ResultTypes[$Name]
    if ($type -is [string]) {
        $fields = [ordered]@{}
        foreach ($field in -split $type) {
            $parts = $field.Split(':')
            $fields[$parts[0]] = 'plain'
            if ($parts.Count -gt 1) {
                $fields[$parts[0]] = $parts[1]
            }
        }
        $type = $fields
        $script:ResultTypes[$Name] = $type
    }
    return $type
}
