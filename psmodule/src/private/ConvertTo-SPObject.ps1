# A result of the core as an object for people and pipelines: its type name, its properties in the order of the schema, dates
# as UTC [datetime], lists as arrays.
function ConvertTo-SPObject {
    param(
        [string]
        $Type,

        [hashtable]
        $Value
    )
    $shape = Get-SPResultType -Name $Type
    $properties = [ordered]@{ PSTypeName = "SPMigration.$Type" }
    foreach ($name in $shape['Names']) {
        $properties[$name] = $Value[$name]
    }
    foreach ($name in $shape['Dates']) {
        if ($null -ne $Value[$name]) {
            $properties[$name] = [datetime]::Parse($Value[$name], [System.Globalization.CultureInfo]::InvariantCulture,
                [System.Globalization.DateTimeStyles]::AdjustToUniversal)
        }
    }
    foreach ($name in $shape['Texts']) {
        $properties[$name] = [string[]]@(foreach ($item in $Value[$name]) {
                $item
            })
    }
    foreach ($name in $shape['Numbers']) {
        $properties[$name] = [int[]]@(foreach ($item in $Value[$name]) {
                $item
            })
    }
    foreach ($list in $shape['Lists']) {
        $properties[$list['Name']] = @(foreach ($item in $Value[$list['Name']]) {
                ConvertTo-SPObject -Type $list['Type'] -Value $item
            })
    }
    [pscustomobject]$properties
}

# The properties of a type, and those of them that are converted; read from the table once.
function Get-SPResultType {
    param(
        [string]
        $Name
    )
    $shape = $script:ResultTypes[$Name]
    if ($shape -is [string]) {
        $fields = -split $shape
        $shape = @{ Names = @(); Dates = @(); Texts = @(); Numbers = @(); Lists = @() }
        foreach ($field in $fields) {
            $property, $kind = $field.Split(':')
            $shape['Names'] += $property
            if ($kind -eq 'date') {
                $shape['Dates'] += $property
            } elseif ($kind -eq 'texts') {
                $shape['Texts'] += $property
            } elseif ($kind -eq 'numbers') {
                $shape['Numbers'] += $property
            } elseif ($kind) {
                $shape['Lists'] += @{ Name = $property; Type = $kind }
            }
        }
        $script:ResultTypes[$Name] = $shape
    }
    return $shape
}
